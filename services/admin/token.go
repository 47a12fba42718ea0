package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// minToken is the least length of the admin token in characters.
const minToken = 32

// adminToken is the hash of the token that callers must present. Comparing hashes takes the same
// time whatever is presented, of whatever length.
type adminToken [sha256.Size]byte

// readToken reads the admin token from a file; blanks around it don't count.
func readToken(path string) (adminToken, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return adminToken{}, fmt.Errorf("admin token: %w", err)
	}
	token := strings.TrimSpace(string(content))
	if len(token) < minToken {
		return adminToken{}, fmt.Errorf("admin token: %s holds %d characters, and %d are the least: fill it by `openssl rand -hex 32`", path, len(token), minToken)
	}
	return sha256.Sum256([]byte(token)), nil
}

// require lets a call in that presents the token, and every call to the health service, which
// tells nothing but whether the service is up. It names what is open, so that a service that is
// added is closed.
func (t adminToken) require(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if strings.HasPrefix(info.FullMethod, "/"+healthgrpc.Health_ServiceDesc.ServiceName+"/") {
		return handler(ctx, request)
	}
	given := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(given) != 1 {
		return nil, status.Error(codes.Unauthenticated, "This call needs the admin token: send it once, as the metadata authorization: Bearer TOKEN.")
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(sum[:], t[:]) != 1 {
		return nil, status.Error(codes.Unauthenticated, "The admin token is not the right one: send the content of the admin service's token file as authorization: Bearer TOKEN.")
	}
	return handler(ctx, request)
}

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

const (
	// minToken is the least length of an admin token in characters.
	minToken = 32
	// onlyAdmin is the name of a token that has none.
	onlyAdmin = "admin"
)

// adminToken is one token that callers may present, and who does. Comparing hashes takes the same
// time whatever is presented, of whatever length.
type adminToken struct {
	name string
	hash [sha256.Size]byte
}

// adminTokens are all of them.
type adminTokens []adminToken

// readTokens reads the admin tokens from a file: one token, or one line "NAME TOKEN" for each
// person or program, so that the history of the policy says who saved it. Blanks around them and
// lines that begin with # don't count.
func readTokens(path string) (adminTokens, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("admin token: %w", err)
	}
	var tokens adminTokens
	for i, line := range strings.Split(string(content), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) > 2 {
			return nil, fmt.Errorf("admin token: line %d of %s has %d words: a line is a token, or a name and a token", i+1, path, len(fields))
		}
		name, token := onlyAdmin, fields[len(fields)-1]
		if len(fields) == 2 {
			name = fields[0]
		}
		if len(token) < minToken {
			return nil, fmt.Errorf("admin token: line %d of %s has one of %d characters, and %d are the least: make one by `openssl rand -hex 32`", i+1, path, len(token), minToken)
		}
		tokens = append(tokens, adminToken{name, sha256.Sum256([]byte(token))})
	}
	if len(tokens) == 0 {
		return nil, fmt.Errorf("admin token: %s holds none: fill it by `openssl rand -hex 32`", path)
	}
	return tokens, nil
}

// callerKey is where a call's context has the name of its token.
type callerKey struct{}

// callerOf returns the name of the token that a call presented.
func callerOf(ctx context.Context) string {
	name, _ := ctx.Value(callerKey{}).(string)
	return name
}

// unary lets a call in that presents a token.
func (t adminTokens) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	ctx, err := t.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handler(ctx, request)
}

// stream does the same for a call with a stream.
func (t adminTokens) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, err := t.admit(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return handler(server, admitted{stream, ctx})
}

// admitted is a stream whose context knows the caller.
type admitted struct {
	grpc.ServerStream
	ctx context.Context
}

// Context is the context that knows the caller.
func (a admitted) Context() context.Context { return a.ctx }

// open are the services that need no token: they tell what the service is, and whether it is up. It
// names what is open, so that a service that is added is closed.
var open = []string{healthgrpc.Health_ServiceDesc.ServiceName, "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}

func (t adminTokens) admit(ctx context.Context, method string) (context.Context, error) {
	for _, service := range open {
		if strings.HasPrefix(method, "/"+service+"/") {
			return ctx, nil
		}
	}
	given := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(given) != 1 {
		return nil, status.Error(codes.Unauthenticated, "This call needs the admin token: send it once, as the metadata authorization: Bearer TOKEN.")
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	caller := ""
	for _, known := range t {
		if subtle.ConstantTimeCompare(sum[:], known.hash[:]) == 1 {
			caller = known.name
		}
	}
	if !strings.EqualFold(scheme, "Bearer") || caller == "" {
		return nil, status.Error(codes.Unauthenticated, "The admin token is not the right one: send one of the admin service's token file as authorization: Bearer TOKEN.")
	}
	return context.WithValue(ctx, callerKey{}, caller), nil
}

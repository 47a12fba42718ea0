package admin

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"regexp"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/state"
)

const (
	// apiTokenPrefix is what API tokens begin with, so that scanners for secrets know them.
	apiTokenPrefix = "sallyport_"
	// secretLength is the characters of a token's secret, 130 random bits; its checksum follows.
	secretLength = 26

	defaultLifetime = 90 * 24 * time.Hour
	minLifetime     = time.Minute
	maxLifetime     = 366 * 24 * time.Hour
)

// newAPIToken returns a random token: the prefix, a secret and its checksum, of letters and digits.
func newAPIToken() string {
	secret := rand.Text()[:secretLength]
	return apiTokenPrefix + secret + checksum(secret)
}

// checksum is the CRC-32 of a secret, so that a token that was cut or mistyped is told from one that has
// ended. It protects nothing.
func checksum(secret string) string {
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(secret)))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum)
}

// wellFormed reports whether a token's checksum fits.
func wellFormed(token string) bool {
	secret := strings.TrimPrefix(token, apiTokenPrefix)
	return len(secret) > secretLength && secret[secretLength:] == checksum(secret[:secretLength])
}

// tokenName is how tokens may be called. No person's e-mail address and no name of the seed's is one.
var tokenName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// CreateToken makes a token.
func (s *AccessServer) CreateToken(ctx context.Context, request *adminv1.CreateTokenRequest) (*adminv1.CreateTokenResponse, error) {
	name := request.GetName()
	switch {
	case !tokenName.MatchString(name):
		return nil, status.Errorf(codes.InvalidArgument, `name is %q: it may have 1 to 64 lower-case letters, digits, ".", "_" and "-", and begins with a letter or digit.`, name)
	case name == onlyAdmin || s.file.has(name):
		return nil, status.Errorf(codes.InvalidArgument, "name is %q, which is the name of a token of the token file: records couldn't tell the two apart. Choose another.", name)
	case roleNames[request.GetRole()] == "":
		return nil, status.Error(codes.InvalidArgument, "role is missing: it may be viewer, auditor or admin.")
	}
	lifetime := defaultLifetime
	if request.GetLifetime() != nil {
		lifetime = request.GetLifetime().AsDuration()
		if request.GetLifetime().CheckValid() != nil || lifetime < minLifetime || lifetime > maxLifetime {
			return nil, status.Error(codes.InvalidArgument, "lifetime may be a minute to 366 days, or be left out for 90 days: a token that works for ever is one that nobody thinks of any more.")
		}
	}
	now, err := s.store.Now(ctx)
	if err != nil {
		return nil, tokensAway(err)
	}
	token := newAPIToken()
	made := state.APIToken{Name: name, Role: roleNames[request.GetRole()], CreatedBy: callerOf(ctx).name, CreatedAt: now, ExpiresAt: now.Add(lifetime)}
	err = s.store.CreateAPIToken(ctx, state.TokenHash(token), made)
	switch {
	case errors.Is(err, state.ErrTaken):
		return nil, status.Errorf(codes.AlreadyExists, "There is a live token %s: choose another name, or revoke that one first.", name)
	case errors.Is(err, state.ErrTooMany):
		return nil, status.Error(codes.ResourceExhausted, "There are 1,000 tokens already: reuse the name of one that has ended.")
	case errors.Is(err, state.ErrNotOnDisk):
		return nil, unsure{"The token " + name + " was made, and isn't handed out", "Revoke it by `sallyport tokens revoke " + name + "`, and make another.", err}
	case err != nil:
		return nil, tokensAway(err)
	}
	s.log.Info("API token created", "name", name, "role", made.Role, "expires_at", made.ExpiresAt, "by", made.CreatedBy)
	return &adminv1.CreateTokenResponse{Token: token, ExpiresAt: timestamppb.New(made.ExpiresAt)}, nil
}

func tokensAway(err error) error {
	return status.Errorf(codes.Unavailable, "Redis doesn't answer, so nothing is known of tokens. Start it again, and try once more. (%v)", err)
}

// ListTokens returns what is known of tokens.
func (s *AccessServer) ListTokens(ctx context.Context, _ *adminv1.ListTokensRequest) (*adminv1.ListTokensResponse, error) {
	tokens, now, err := s.store.APITokens(ctx)
	if err != nil {
		return nil, tokensAway(err)
	}
	answer := &adminv1.ListTokensResponse{}
	for _, t := range tokens {
		m := &adminv1.ApiToken{
			Name: t.Name, Role: roleNamed(t.Role), CreatedBy: t.CreatedBy, RevokedBy: t.RevokedBy,
			CreatedAt: timestamppb.New(t.CreatedAt), ExpiresAt: timestamppb.New(t.ExpiresAt),
			Live: t.RevokedAt.IsZero() && now.Before(t.ExpiresAt),
		}
		if !t.LastUsedAt.IsZero() {
			m.LastUsedAt = timestamppb.New(t.LastUsedAt)
		}
		if !t.RevokedAt.IsZero() {
			m.RevokedAt = timestamppb.New(t.RevokedAt)
		}
		answer.Tokens = append(answer.Tokens, m)
	}
	return answer, nil
}

// RevokeToken ends a token.
func (s *AccessServer) RevokeToken(ctx context.Context, request *adminv1.RevokeTokenRequest) (*adminv1.RevokeTokenResponse, error) {
	by := callerOf(ctx).name
	err := s.store.RevokeAPIToken(ctx, request.GetName(), by)
	if errors.Is(err, state.ErrNotFound) {
		return nil, status.Errorf(codes.NotFound, "There is no live token %q. `sallyport tokens list` shows those there are; what the token file has is ended by taking it out there.", request.GetName())
	}
	if errors.Is(err, state.ErrNotOnDisk) {
		return nil, unsure{"The token " + request.GetName() + " is revoked", "`sallyport tokens list` shows whether it still is; where it lives again, revoke it once more.", err}
	}
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "Redis didn't confirm that the token is revoked. Start it again, and try once more. (%v)", err)
	}
	s.log.Info("API token revoked", "name", request.GetName(), "by", by)
	return &adminv1.RevokeTokenResponse{}, nil
}

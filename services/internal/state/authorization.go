package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// SignInLife is how long a person may take at Atlassian's pages.
	SignInLife = 10 * time.Minute
	// codeLife is how long a code can be exchanged (RFC 6749 section 4.1.2 asks for ten minutes at
	// most; assistants exchange it at once).
	codeLife = time.Minute
	// replayWatch is how long a used code is remembered, so that its second use ends the grant.
	replayWatch = time.Hour
	// unclaimedLife is how long a grant lives whose code nobody has exchanged yet.
	unclaimedLife = 2 * codeLife
	// emailLife is how long admins can name by e-mail address a person who signed in.
	emailLife = 365 * 24 * time.Hour
)

// ErrReplayed means that a code or refresh token was used before: somebody else may have it, so its
// grant has ended. It comes with a *ReplayedError.
var ErrReplayed = errors.New("already used")

// ReplayedError is ErrReplayed with what has ended.
type ReplayedError struct{ Ended Ended }

func (e *ReplayedError) Error() string { return ErrReplayed.Error() }

func (e *ReplayedError) Unwrap() error { return ErrReplayed }

// Code is what an authorization code is bound to.
type Code struct {
	GrantID     string `json:"grant_id"`
	ClientID    string `json:"client_id"`
	RedirectURI string `json:"redirect_uri"`
	// Challenge is the client's PKCE challenge, method S256.
	Challenge string `json:"challenge"`
	// Resource is the audience of the tokens (RFC 8707).
	Resource string `json:"resource"`
}

// SaveSignIn keeps a sign-in that is under way at Atlassian, sealed by the caller, under the hash of
// its state.
func (s *Store) SaveSignIn(ctx context.Context, stateHash string, sealed []byte) error {
	err := s.redis.Set(ctx, signInKey(stateHash), sealed, SignInLife).Err()
	if err != nil {
		return fmt.Errorf("saving a sign-in: %w", err)
	}
	return nil
}

// SignIn returns a sign-in that is under way, or ErrNotFound.
func (s *Store) SignIn(ctx context.Context, stateHash string) ([]byte, error) {
	return signInFrom(s.redis.Get(ctx, signInKey(stateHash)))
}

// TakeSignIn returns a sign-in and removes it: ErrNotFound for the second who comes.
func (s *Store) TakeSignIn(ctx context.Context, stateHash string) ([]byte, error) {
	return signInFrom(s.redis.GetDel(ctx, signInKey(stateHash)))
}

func signInFrom(reply *redis.StringCmd) ([]byte, error) {
	sealed, err := reply.Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading a sign-in: %w", err)
	}
	return sealed, nil
}

// CreateGrant stores a new grant of a person, with the code that its client exchanges for tokens. Both
// end soon unless it does. Of a grant for the MCP endpoint SaveUpstream has stored the person's tokens
// before; it returns ErrNotFound where the person was removed since.
func (s *Store) CreateGrant(ctx context.Context, g Grant, codeHash string, c Code) error {
	document, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("saving a grant: %w", err)
	}
	life := emailLife
	if g.Email == "" {
		life = 0
	}
	args := []any{
		g.ID, g.AccountID, document,
		int(unclaimedLife.Seconds()), int(g.refreshLife().Seconds()), int(codeLife.Seconds()), int(life.Seconds()),
		g.CreatedAt.UnixMilli(), grantKey(""),
	}
	for name, value := range g.fields() {
		args = append(args, name, value)
	}
	keys := g.withUpstream(grantKey(g.ID), grantsKey(g.AccountID), codeKey(codeHash), emailKey(g.Email), emailsKey(g.AccountID), connectionsKey)
	reply, err := s.call(ctx, "sallyport_create_grant", keys, args...)
	if err != nil {
		return err
	}
	if reply[0] == "ended" {
		return fmt.Errorf("saving a grant: the person's Atlassian token: %w", ErrNotFound)
	}
	return nil
}

// AccountOf returns the account id of a person who signed in within the last year, by e-mail address
// in any case; ErrNotFound where nobody did.
func (s *Store) AccountOf(ctx context.Context, email string) (string, error) {
	account, err := s.redis.Get(ctx, emailKey(email)).Result()
	if errors.Is(err, redis.Nil) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("looking up an e-mail address: %w", err)
	}
	return account, nil
}

// RedeemCode uses a code up and returns what it is bound to. The second time it ends the grant and
// returns ErrReplayed, with ErrNotOnDisk where that holds; ErrNotFound for a code that is unknown or too old.
func (s *Store) RedeemCode(ctx context.Context, codeHash string) (Code, error) {
	var c Code
	reply, err := s.call(ctx, "sallyport_redeem_code", []string{codeKey(codeHash), usedCodeKey(codeHash)},
		int(replayWatch.Seconds()))
	if err != nil {
		return c, err
	}
	if reply[0] == "unknown" {
		return c, ErrNotFound
	}
	document, _ := reply[1].(string)
	err = json.Unmarshal([]byte(document), &c)
	if err != nil {
		return c, fmt.Errorf("reading a code: %w", err)
	}
	if reply[0] == "replayed" {
		ended, err := s.EndGrant(ctx, c.GrantID)
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		if err != nil && !errors.Is(err, ErrNotOnDisk) {
			return c, err
		}
		return c, errors.Join(&ReplayedError{ended}, err)
	}
	return c, nil
}

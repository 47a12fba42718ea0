package state

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Grant is one sign-in: this person lets this assistant act for them. Access and refresh tokens
// belong to a grant and end with it.
type Grant struct {
	// ID names it; random.
	ID string
	// Rev is another one after each change.
	Rev string
	// AccountID, Email and Name are the person, from Atlassian.
	AccountID, Email, Name string
	// ClientID is the assistant's OAuth client id; ClientKey, ClientName and ClientClass are what
	// rules call it (policy.md 4).
	ClientID, ClientKey, ClientName, ClientClass string
	// Site is the cloud id of the Atlassian site the person chose.
	Site string
	// CreatedAt is when the person signed in.
	CreatedAt time.Time
	// ClientInfo is what the assistant last said of itself in MCP, as one text; empty where it didn't.
	// sallyport_decide keeps it.
	ClientInfo string
	// UsedAt is when a call was last decided with it, to the minute, which sallyport_decide keeps; zero
	// where none was.
	UsedAt time.Time
}

func (g Grant) fields() map[string]any {
	return map[string]any{
		"id": g.ID, "rev": g.Rev,
		"account_id": g.AccountID, "email": g.Email, "name": g.Name,
		"client_id": g.ClientID, "client_key": g.ClientKey, "client_name": g.ClientName, "client_class": g.ClientClass,
		"site": g.Site, "created_at": g.CreatedAt.UTC().Format(time.RFC3339Nano),
	}
}

func grantFrom(f map[string]string) Grant {
	createdAt, _ := time.Parse(time.RFC3339Nano, f["created_at"])
	var usedAt time.Time
	seconds, err := strconv.ParseInt(f["used_at"], 10, 64)
	if err == nil {
		usedAt = time.Unix(seconds, 0)
	}
	return Grant{
		ID: f["id"], Rev: f["rev"],
		AccountID: f["account_id"], Email: f["email"], Name: f["name"],
		ClientID: f["client_id"], ClientKey: f["client_key"], ClientName: f["client_name"], ClientClass: f["client_class"],
		Site: f["site"], CreatedAt: createdAt, ClientInfo: f["client_info"], UsedAt: usedAt,
	}
}

// Grant returns a grant, or ErrNotFound once it has ended.
func (s *Store) Grant(ctx context.Context, id string) (Grant, error) {
	fields, err := s.redis.HGetAll(ctx, grantKey(id)).Result()
	if err != nil {
		return Grant{}, fmt.Errorf("reading a grant: %w", err)
	}
	if len(fields) == 0 {
		return Grant{}, ErrNotFound
	}
	return grantFrom(fields), nil
}

// SessionGrant returns the grant that a live access token belongs to, or ErrNotFound.
func (s *Store) SessionGrant(ctx context.Context, tokenHash string) (Grant, error) {
	id, err := s.redis.Get(ctx, sessionKey(tokenHash)).Result()
	if errors.Is(err, redis.Nil) {
		return Grant{}, ErrNotFound
	}
	if err != nil {
		return Grant{}, fmt.Errorf("reading a session: %w", err)
	}
	return s.Grant(ctx, id)
}

package state

import (
	"context"
	"fmt"
	"time"
)

// boundLife is for how long whose a session or task of MCP is is remembered after its last use: longer
// than an assistant is left open overnight.
const boundLife = 24 * time.Hour

// mismatched is how a grant has that the assistant says it is something else than it registered as.
const mismatched = "1"

func (c Claim) mismatch() string {
	if c.Mismatch {
		return mismatched
	}
	return ""
}

// Holder names a person with one of their clients, as the one that sessions and tasks of MCP belong to.
// It stays when the person signs in again. It is a hash, so that nothing of a person who was forgotten
// is left in it.
func (g Grant) Holder() string { return TokenHash(g.AccountID + "\n" + g.ClientID) }

// SessionHash is how a session of MCP is known to Redis, by its Mcp-Session-Id.
func SessionHash(id string) string { return TokenHash("session " + id) }

// TaskHash is how a task of MCP is known to Redis, by its taskId.
func TaskHash(id string) string { return TokenHash("task " + id) }

// BindSession makes a session that the server has just begun its holder's, unless it is somebody's
// already.
func (s *Store) BindSession(ctx context.Context, hash, holder string) error {
	err := s.redis.SetNX(ctx, boundKey(hash), holder, boundLife).Err()
	if err != nil {
		return fmt.Errorf("binding an MCP session: %w", err)
	}
	return nil
}

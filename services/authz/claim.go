package authz

import (
	"crypto/rand"

	"sallyport/services/internal/assistant"
	"sallyport/services/internal/state"
	"sallyport/services/mcp"
)

// claim is what an assistant says it is, made fit to be shown and short enough to be kept. It is
// recorded, and nothing is decided by it.
type claim struct {
	// name is what it calls itself; info is that with its version. Both are empty where it says nothing.
	name, info string
	assistants *assistant.Table
}

func claimOf(messages []mcp.Message, assistants *assistant.Table) claim {
	for _, m := range messages {
		if m.ClientInfo.Name != "" {
			name := assistant.CleanName(m.ClientInfo.Name)
			return claim{name, assistant.CleanName(name + " " + m.ClientInfo.Version), assistants}
		}
	}
	return claim{}
}

// by is the session in which the assistant says so, and what of it is new. Until MCP 2025-11-25 it is
// said once, in initialize, and the grant remembers it.
func (c claim) by(s *session) (*session, state.Claim) {
	if c.info == "" || c.info == s.grant.ClientInfo {
		return s, state.Claim{}
	}
	fresh := state.Claim{Info: c.info, Mismatch: c.assistants.Disagrees(s.grant.ClientKey, c.name), Rev: rand.Text()}
	claiming := s.withClaim(fresh)
	// The grant has its next revision once this is written down.
	claiming.grant.Rev = s.grant.Rev
	return claiming, fresh
}

// withClaim is the session with what is kept of it now.
func (s *session) withClaim(c state.Claim) *session {
	if c.Info == "" {
		return s
	}
	replaced := *s
	replaced.grant.ClientInfo, replaced.grant.ClientMismatch, replaced.grant.Rev = c.Info, c.Mismatch, c.Rev
	return &replaced
}

package authz

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"sallyport/services/internal/activity"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
	"sallyport/services/policy"
)

// rememberedSessions bounds the memory of sessions, at about 2 KB each. One that is forgotten
// costs its next call two more round trips to Redis.
const rememberedSessions = 10_000

// session is what authz remembers of an access token between calls. It is never changed, only
// replaced, and never believed: Redis says with each decision whether it still holds.
type session struct {
	grant   state.Grant
	groups  state.Groups
	client  policy.Client
	subject policy.Subject
	// upstream is the person's Atlassian token in clear, and never leaves memory.
	upstream upstream
}

type upstream struct {
	rev       string
	token     string
	expiresAt time.Time
}

func newSession(grant state.Grant, groups state.Groups, u upstream) *session {
	s := &session{
		grant: grant, groups: groups, upstream: u,
		client:  policy.Client{Key: grant.ClientKey, Name: grant.ClientName, Class: policy.Class(grant.ClientClass)},
		subject: policy.Subject{AccountID: grant.AccountID, Email: grant.Email, GroupsKnown: groups.Known},
	}
	for _, g := range groups.List {
		s.subject.Groups = append(s.subject.Groups, policy.Group{ID: g.ID, Name: g.Name})
	}
	return s
}

// withUpstream is the session with a token that Redis sent because it is another one.
func (s *session) withUpstream(box *seal.Box, fresh *state.Upstream) (*session, error) {
	token, err := box.Open(fresh.Access, state.AccessUse(s.grant.AccountID))
	if err != nil {
		return nil, err
	}
	replaced := *s
	replaced.upstream = upstream{fresh.Rev, token, fresh.ExpiresAt}
	return &replaced, nil
}

// groupsOf are the person's groups as the record has them.
func (s *session) groupsOf() activity.Group {
	var g activity.Group
	for _, group := range s.groups.List {
		g.ID = append(g.ID, group.ID)
		g.Name = append(g.Name, group.Name)
	}
	return g
}

// sessions is the memory of sessions, by the hash of the access token.
type sessions = lru.Cache[string, *session]

func newSessions() (*sessions, error) { return lru.New[string, *session](rememberedSessions) }

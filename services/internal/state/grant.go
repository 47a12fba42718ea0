package state

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// mcpPath is where the MCP endpoint is at the public URL. The admin API's resource has no path.
const mcpPath = "/mcp"

// MCPResource is the resource identifier (RFC 8707) of the MCP endpoint at a public URL.
func MCPResource(publicURL string) string { return strings.TrimRight(publicURL, "/") + mcpPath }

// AdminResource is the resource identifier of the admin API at a console's URL; empty where there is none.
func AdminResource(consoleURL string) string { return strings.TrimRight(consoleURL, "/") }

// ConsoleCookie is the name of the cookie in which a browser has the access token of somebody who is signed in
// to the console at a URL. Where it can be Secure no other host can set it (prefix __Host-).
func ConsoleCookie(consoleURL string) string {
	if strings.HasPrefix(consoleURL, "https:") {
		return "__Host-sallyport_session"
	}
	return "sallyport_session"
}

// A Grant is one sign-in: this person lets this client act for them. Access and refresh tokens
// belong to a grant and end with it.
type Grant struct {
	// ID names it; random.
	ID string
	// Rev is another one after each change.
	Rev string
	// AccountID, Email and Name are the person, from Atlassian.
	AccountID, Email, Name string
	// Resource is what its tokens are for (RFC 8707): MCPResource for an assistant, AdminResource for the
	// console or the command line. Grants of before there were two have none, and are for the first.
	Resource string
	// ClientID is the client's OAuth client id; ClientKey, ClientName and ClientClass are what
	// rules call it (policy.md 4).
	ClientID, ClientKey, ClientName, ClientClass string
	// Site is the cloud id of the Atlassian site that the sign-in is for, and SiteHost its host name; empty where
	// Atlassian didn't say. Grants of before the name was kept have none.
	Site, SiteHost string
	// CreatedAt is when the person signed in.
	CreatedAt time.Time
	// ClientInfo is what the assistant last said it is, a claim; ClientMismatch says that this isn't
	// what it registered as. Deciding on a request stores them; a new grant has none.
	ClientInfo     string
	ClientMismatch bool
	// UsedAt is when a call was last decided with it, to the minute, which sallyport_decide keeps; zero
	// where none was.
	UsedAt time.Time
}

func (g Grant) fields() map[string]any {
	return map[string]any{
		"id": g.ID, "rev": g.Rev,
		"account_id": g.AccountID, "email": g.Email, "name": g.Name,
		"client_id": g.ClientID, "client_key": g.ClientKey, "client_name": g.ClientName, "client_class": g.ClientClass,
		"resource": g.Resource, "site": g.Site, "site_host": g.SiteHost, "created_at": g.CreatedAt.UTC().Format(time.RFC3339Nano),
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
		Resource: f["resource"], Site: f["site"], SiteHost: f["site_host"], CreatedAt: createdAt, UsedAt: usedAt,
		ClientInfo: f["client_info"], ClientMismatch: f["client_mismatch"] == mismatched,
	}
}

// IsFor says whether the grant's tokens are for a resource.
func (g Grant) IsFor(resource string) bool {
	if g.Resource == "" {
		return strings.HasSuffix(resource, mcpPath)
	}
	return g.Resource == resource
}

// IsAdmin says whether the grant is for the admin API: it has no Atlassian token then.
func (g Grant) IsAdmin() bool { return g.Resource != "" && !strings.HasSuffix(g.Resource, mcpPath) }

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

// SessionGrant returns the grant that a live access token for a resource belongs to, or ErrNotFound: a
// token for another resource is as good as none.
func (s *Store) SessionGrant(ctx context.Context, tokenHash, resource string) (Grant, error) {
	id, err := s.redis.Get(ctx, sessionKey(tokenHash)).Result()
	if errors.Is(err, redis.Nil) {
		return Grant{}, ErrNotFound
	}
	if err != nil {
		return Grant{}, fmt.Errorf("reading a session: %w", err)
	}
	g, err := s.Grant(ctx, id)
	if err != nil {
		return Grant{}, err
	}
	if !g.IsFor(resource) {
		return Grant{}, ErrNotFound
	}
	return g, nil
}

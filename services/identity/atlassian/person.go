package atlassian

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Person is who signed in, and where.
type Person struct {
	AccountID, Email, Name string
	// Sites are those that the account can use with this sign-in. Their order means nothing.
	Sites []Site
	// SitesUnknown is why Atlassian didn't say which they are; nil where it did.
	SitesUnknown error
}

// Site returns the first of the sites; the zero Site where there is none.
func (p Person) Site() Site {
	if len(p.Sites) == 0 {
		return Site{}
	}
	return p.Sites[0]
}

// Who finds out whose token it is: by the tool atlassianUserInfo, else by GET /me, which takes
// tokens of some of Atlassian's authorization servers and not of others. What they say is checked.
func (c *Client) Who(ctx context.Context, access string) (Person, error) {
	person, err := c.askTools(ctx, access)
	if person.SitesUnknown != nil {
		person.Sites, person.SitesUnknown = c.askResources(ctx, access, person.SitesUnknown)
	}
	if err == nil && person.AccountID != "" && person.Email != "" {
		return person.checked()
	}
	me, meErr := c.askMe(ctx, access)
	if meErr == nil && me.AccountID != "" {
		return person.with(me)
	}
	if err == nil && person.AccountID != "" {
		return person.checked()
	}
	return Person{}, fmt.Errorf("finding out who signed in: %w", errors.Join(err, meErr))
}

// with returns the person as GET /me knows them, at the site that the tools know. Both have to mean the
// same one.
func (p Person) with(me Person) (Person, error) {
	if p.AccountID != "" && p.AccountID != me.AccountID {
		return Person{}, errors.New("finding out who signed in: Atlassian's MCP server and its API name two different accounts")
	}
	me.Sites, me.SitesUnknown = p.Sites, p.SitesUnknown
	return me.checked()
}

var (
	accountID = regexp.MustCompile(`^[0-9A-Za-z:_-]{1,128}$`)
)

// maxNameBytes bounds what is kept of a name and an e-mail address.
const maxNameBytes = 320

// checked refuses what can't be an account or a site at Atlassian: rules, records and Redis go by it.
func (p Person) checked() (Person, error) {
	switch {
	case !accountID.MatchString(p.AccountID):
		return Person{}, fmt.Errorf("finding out who signed in: %.40q can't be an Atlassian account id", p.AccountID)
	case p.Email != "" && (strings.Count(p.Email, "@") != 1 || strings.ContainsFunc(p.Email, unicode.IsSpace)):
		return Person{}, errors.New("finding out who signed in: what Atlassian gives as e-mail address can't be one")
	case len(p.Email) > maxNameBytes || len(p.Name) > maxNameBytes:
		return Person{}, fmt.Errorf("finding out who signed in: the name or the e-mail address has more than %d bytes", maxNameBytes)
	}
	for _, site := range p.Sites {
		if !siteID.MatchString(site.ID) {
			return Person{}, fmt.Errorf("finding out which site was signed in to: %.40q can't be a cloud id", site.ID)
		}
	}
	return p, nil
}

// askTools asks the MCP server's own tools.
func (c *Client) askTools(ctx context.Context, access string) (Person, error) {
	person, err := c.askSession(ctx, access)
	c.called(ctx, err)
	if err != nil {
		person.SitesUnknown = err
	}
	return person, err
}

func (c *Client) askSession(ctx context.Context, access string) (Person, error) {
	session, err := connect(ctx, newMCPClient(), c.cfg.MCPURL, c.bearing(access))
	if err != nil {
		return Person{}, err
	}
	defer func() { _ = session.Close() }()

	var user struct {
		AccountID string `json:"account_id"`
		Email     string `json:"email"`
		Name      string `json:"name"`
	}
	err = askTool(ctx, session, "atlassianUserInfo", &user)
	if err != nil {
		return Person{}, err
	}
	person := Person{AccountID: user.AccountID, Email: user.Email, Name: user.Name}
	var listed []resource
	person.SitesUnknown = askTool(ctx, session, "getAccessibleAtlassianResources", &listed)
	person.Sites = sitesOf(listed)
	return person, nil
}

func newMCPClient() *mcp.Client {
	return mcp.NewClient(&mcp.Implementation{Name: "sallyport", Title: "Sallyport", Version: "1"}, nil)
}

// connect begins a session at an MCP server, as whoever bearing signs its requests.
func connect(ctx context.Context, client *mcp.Client, mcpURL string, bearing *http.Client) (*mcp.ClientSession, error) {
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint:             mcpURL,
		HTTPClient:           bearing,
		MaxRetries:           -1,
		DisableStandaloneSSE: true,
	}, nil)
	if err != nil {
		return nil, fmt.Errorf("connecting to Atlassian's MCP server: %w", err)
	}
	return session, nil
}

// askTool calls a tool without arguments and reads its answer, JSON in a text, into v. The v2 server
// sometimes wraps it in an object with the one member "data".
func askTool(ctx context.Context, session *mcp.ClientSession, name string, v any) error {
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: map[string]any{}})
	if err != nil {
		return fmt.Errorf("calling %s: %w", name, err)
	}
	var text strings.Builder
	for _, content := range result.Content {
		if part, ok := content.(*mcp.TextContent); ok {
			text.WriteString(part.Text)
		}
	}
	if result.IsError {
		return fmt.Errorf("calling %s: %s", name, text.String())
	}
	body := []byte(text.String())
	var wrapped struct {
		Data jsontext.Value `json:"data"`
	}
	if json.Unmarshal(body, &wrapped) == nil && len(wrapped.Data) > 0 {
		body = wrapped.Data
	}
	err = json.Unmarshal(body, v)
	if err != nil {
		return fmt.Errorf("the answer of %s isn't the JSON it should be", name)
	}
	return nil
}

func (c *Client) askMe(ctx context.Context, access string) (Person, error) {
	var me struct {
		AccountID string `json:"account_id"`
		Email     string `json:"email"`
		Name      string `json:"name"`
	}
	err := c.askAPI(ctx, access, "/me", &me)
	if err != nil {
		return Person{}, err
	}
	return Person{AccountID: me.AccountID, Email: me.Email, Name: me.Name}, nil
}

// bearing returns an HTTP client that sends the token with each request.
func (c *Client) bearing(access string) *http.Client {
	client := *c.http
	client.Transport = bearer{access, c.http.Transport}
	return &client
}

type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}

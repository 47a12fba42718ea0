package e2e_test

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"
)

// sessionClient is a client that is reached by a session of the Go SDK.
type sessionClient struct {
	open    func(t *testing.T) (*mcp.ClientSession, error)
	session *mcp.ClientSession
}

func (c *sessionClient) connected(t *testing.T) error {
	t.Helper()
	if c.session != nil {
		return nil
	}
	session, err := c.open(t)
	if err != nil {
		return err
	}
	c.session = session
	t.Cleanup(func() { _ = session.Close() })
	return nil
}

func (c *sessionClient) list(t *testing.T) ([]string, error) {
	t.Helper()
	err := c.connected(t)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for tool, err := range c.session.Tools(t.Context(), nil) {
		if err != nil {
			return nil, err
		}
		names = append(names, tool.Name)
	}
	return names, nil
}

func (c *sessionClient) call(t *testing.T, tool string, arguments map[string]any) (string, bool, error) {
	t.Helper()
	err := c.connected(t)
	if err != nil {
		return "", false, err
	}
	return (&assistant{ClientSession: c.session}).tryCall(t.Context(), tool, arguments)
}

func (c *sessionClient) restart(*testing.T) {
	if c.session != nil {
		_ = c.session.Close()
	}
	c.session = nil
}

// newMCPRemote is mcp-remote: a program that speaks for a host which knows local servers only. The host
// is the Go SDK here, speaking an MCP revision.
func newMCPRemote(t *testing.T, who *user, revision string) *sessionClient {
	t.Helper()
	c := newCommand(t, who, remote)
	return &sessionClient{open: func(t *testing.T) (*mcp.ClientSession, error) {
		t.Helper()
		proxy := exec.Command("node", "node_modules/mcp-remote/dist/proxy.js", sallyport.MCPURL)
		proxy.Dir, proxy.Env = c.folder, c.env
		proxy.Stderr = c.complaints
		ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
		defer stop()
		return mcp.NewClient(&mcp.Implementation{Name: "host", Version: "1.0.0"}, nil).Connect(ctx, &mcp.CommandTransport{Command: proxy}, &mcp.ClientSessionOptions{ProtocolVersion: revision})
	}}
}

// goClient is a client with the official Go SDK, which keeps its sign-in as an app does: the SDK's token
// source is the app's.
type goClient struct {
	sessionClient
	config *oauth2.Config
	tokens oauth2.TokenSource
}

func newGoClient(t *testing.T, who *user) *goClient {
	t.Helper()
	c := &goClient{}
	c.open = func(t *testing.T) (*mcp.ClientSession, error) {
		t.Helper()
		config := &auth.AuthorizationCodeHandlerConfig{
			DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
				ClientName: "Go SDK", RedirectURIs: []string{redirectURI},
				GrantTypes: []string{"authorization_code", "refresh_token"}, TokenEndpointAuthMethod: "none",
			}},
			RequestRefreshToken: true,
			AuthorizationCodeFetcher: func(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
				end, err := who.signIn(ctx, args.URL)
				if err != nil {
					return nil, err
				}
				answer := end.Query()
				return &auth.AuthorizationResult{Code: answer.Get("code"), State: answer.Get("state"), Iss: answer.Get("iss")}, nil
			},
			NewTokenSource: func(_ context.Context, config *oauth2.Config, token *oauth2.Token) (oauth2.TokenSource, error) {
				c.config, c.tokens = config, config.TokenSource(context.Background(), token)
				return c, nil
			},
		}
		if c.tokens != nil {
			config.InitialTokenSource = c
		}
		handler, err := auth.NewAuthorizationCodeHandler(config)
		if err != nil {
			return nil, err
		}
		transport := &mcp.StreamableClientTransport{Endpoint: sallyport.MCPURL, OAuthHandler: handler}
		return mcp.NewClient(&mcp.Implementation{Name: "go-sdk", Version: "1.0.0"}, nil).Connect(t.Context(), transport, nil)
	}
	return c
}

// Token is the token that the SDK uses.
func (c *goClient) Token() (*oauth2.Token, error) { return c.tokens.Token() }

// expire makes the hour of the access token over by the client's own clock, which is all that makes this
// SDK refresh.
func (c *goClient) expire(t *testing.T) {
	t.Helper()
	token, err := c.tokens.Token()
	if err != nil {
		t.Fatal(err)
	}
	over := *token
	over.Expiry = time.Now().Add(-time.Minute)
	c.tokens = c.config.TokenSource(context.Background(), &over)
}

package e2e_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// redirectURI is the assistant's. Nobody listens there: the person hands the code over.
const redirectURI = "http://127.0.0.1:33418/callback"

// assistant is an AI assistant with the official Go SDK, signed in for a person.
type assistant struct {
	*mcp.ClientSession
	person *person
	// token is the access token that the assistant holds now.
	token func(t *testing.T) string
}

// connect makes an assistant do all that it has to: find out where to sign in, register, let the
// person consent, exchange the code, and open the MCP session.
func connect(t *testing.T, email, clientName string) *assistant {
	t.Helper()
	who := newPerson(email)
	return connectWith(t, who, who.signIn, clientName)
}

// connectWith does that for a person who signs in in a way of their own.
func connectWith(t *testing.T, who *person, signIn func(ctx context.Context, authorizationURL, clientRedirect string) (*url.URL, error), clientName string) *assistant {
	t.Helper()
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			ClientName:              clientName,
			RedirectURIs:            []string{redirectURI},
			GrantTypes:              []string{"authorization_code", "refresh_token"},
			TokenEndpointAuthMethod: "none",
		}},
		RequestRefreshToken: true,
		AuthorizationCodeFetcher: func(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			end, err := signIn(ctx, args.URL, redirectURI)
			if err != nil {
				return nil, err
			}
			answer := end.Query()
			return &auth.AuthorizationResult{Code: answer.Get("code"), State: answer.Get("state"), Iss: answer.Get("iss")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1.0.0"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: sallyport.MCPURL, OAuthHandler: handler}, nil)
	if err != nil {
		t.Fatalf("connecting as %s: %v (pages seen: %q)", who.email, err, who.pages)
	}
	t.Cleanup(func() { _ = session.Close() })
	return &assistant{ClientSession: session, person: who, token: func(t *testing.T) string {
		t.Helper()
		source, err := handler.TokenSource(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		token, err := source.Token()
		if err != nil {
			t.Fatal(err)
		}
		return token.AccessToken
	}}
}

// call calls a tool and returns its text, and whether it is an error.
func (a *assistant) call(t *testing.T, tool string, arguments map[string]any) (string, bool) {
	t.Helper()
	text, isError, err := a.tryCall(t.Context(), tool, arguments)
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	return text, isError
}

func (a *assistant) tryCall(ctx context.Context, tool string, arguments map[string]any) (string, bool, error) {
	result, err := a.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		return "", false, err
	}
	text := ""
	for _, content := range result.Content {
		if part, ok := content.(*mcp.TextContent); ok {
			text += part.Text
		}
	}
	return text, result.IsError, nil
}

// post sends a body to the MCP endpoint as it is, with an assistant's token.
func post(t *testing.T, token string, body []byte, headers map[string]string) *http.Response {
	t.Helper()
	request, err := newPost(t.Context(), token, body, headers)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

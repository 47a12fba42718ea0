package signin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"
)

// redirectURI is where an assistant that signs in here is sent back to. Nobody listens there: the
// browser hands the code over.
const redirectURI = "http://127.0.0.1:33418/callback"

// Client describes an assistant as those on people's machines describe themselves.
func Client(name, redirect string) *oauthex.ClientRegistrationMetadata {
	return &oauthex.ClientRegistrationMetadata{
		ClientName:              name,
		RedirectURIs:            []string{redirect},
		GrantTypes:              []string{"authorization_code", "refresh_token"},
		ResponseTypes:           []string{"code"},
		TokenEndpointAuthMethod: "none",
	}
}

// In signs a person in at an MCP server with a new registration of an assistant. The access token is
// renewed, with ctx, where it has ended.
func In(ctx context.Context, mcpURL, assistant, email string) (oauth2.TokenSource, error) {
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: Client(assistant, redirectURI)},
		AuthorizationCodeFetcher: func(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			end, err := NewBrowser(email).Open(ctx, args.URL, func(u *url.URL) bool { return strings.HasPrefix(u.String(), redirectURI) })
			if err != nil {
				return nil, err
			}
			answer := end.Query()
			return &auth.AuthorizationResult{Code: answer.Get("code"), State: answer.Get("state"), Iss: answer.Get("iss")}, nil
		},
	})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, mcpURL, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		return nil, fmt.Errorf("%s answers a request without a token with %s instead of asking to sign in", mcpURL, response.Status)
	}
	err = handler.Authorize(ctx, request, response)
	if err != nil {
		return nil, err
	}
	return handler.TokenSource(ctx)
}

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// someone is one of the stand-in's people.
const someone = "ana@acme.test"

// redirectURI is the client's that signs in for the forwarder. Nobody listens there: the browser
// hands the code over.
const redirectURI = "http://127.0.0.1:33418/callback"

// client describes a client as assistants on people's machines describe themselves.
func client(redirect string) *oauthex.ClientRegistrationMetadata {
	return &oauthex.ClientRegistrationMetadata{
		ClientName:              "MCP conformance suite",
		RedirectURIs:            []string{redirect},
		GrantTypes:              []string{"authorization_code", "refresh_token"},
		ResponseTypes:           []string{"code"},
		TokenEndpointAuthMethod: "none",
	}
}

// signIn signs somebody in at an MCP server as an assistant does, and returns the access token.
func signIn(ctx context.Context, mcpURL string) (string, error) {
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: client(redirectURI)},
		AuthorizationCodeFetcher: func(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			end, err := newBrowser(someone).open(ctx, args.URL, func(u *url.URL) bool { return strings.HasPrefix(u.String(), redirectURI) })
			if err != nil {
				return nil, err
			}
			answer := end.Query()
			return &auth.AuthorizationResult{Code: answer.Get("code"), State: answer.Get("state"), Iss: answer.Get("iss")}, nil
		},
	})
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, mcpURL, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		return "", fmt.Errorf("%s answers a request without a token with %s instead of asking to sign in", mcpURL, response.Status)
	}
	err = handler.Authorize(ctx, request, response)
	if err != nil {
		return "", err
	}
	source, err := handler.TokenSource(ctx)
	if err != nil {
		return "", err
	}
	token, err := source.Token()
	if err != nil {
		return "", err
	}
	return token.AccessToken, nil
}

// register registers a client at an authorization server, and returns its id.
func register(ctx context.Context, issuer, redirect string) (string, error) {
	metadata, err := auth.GetAuthServerMetadata(ctx, issuer, nil)
	if err != nil {
		return "", err
	}
	if metadata == nil {
		return "", fmt.Errorf("%s has no metadata of an authorization server", issuer)
	}
	registered, err := oauthex.RegisterClient(ctx, metadata.RegistrationEndpoint, client(redirect), nil)
	if err != nil {
		return "", err
	}
	return registered.ClientID, nil
}

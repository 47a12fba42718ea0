package main

import (
	"context"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"sallyport/tools/signin"
)

// someone is one of the stand-in's people, and assistant what the suite signs in as.
const someone, assistant = "ana@acme.test", "MCP conformance suite"

// register registers a client at an authorization server, and returns its id.
func register(ctx context.Context, issuer, redirect string) (string, error) {
	metadata, err := auth.GetAuthServerMetadata(ctx, issuer, nil)
	if err != nil {
		return "", err
	}
	if metadata == nil {
		return "", fmt.Errorf("%s has no metadata of an authorization server", issuer)
	}
	registered, err := oauthex.RegisterClient(ctx, metadata.RegistrationEndpoint, signin.Client(assistant, redirect), nil)
	if err != nil {
		return "", err
	}
	return registered.ClientID, nil
}

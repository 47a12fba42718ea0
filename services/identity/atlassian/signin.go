package atlassian

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"
)

// assumedLife is the life of an access token that comes without one, on the short side.
const assumedLife = 30 * time.Minute

// ErrIssuer means that an answer came from another authorization server than was asked (RFC 9207).
var ErrIssuer = errors.New("the answer doesn't come from Atlassian's authorization server")

// Refusal is an error that Atlassian's authorization server answered with (RFC 6749 section 5.2).
type Refusal struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func (r *Refusal) Error() string {
	if r.Description == "" {
		return "Atlassian refused: " + r.Code
	}
	return "Atlassian refused: " + r.Code + ": " + r.Description
}

// Tokens are a person's tokens at Atlassian, in clear.
type Tokens struct {
	Access    string
	Refresh   string
	ExpiresAt time.Time
}

// Issuer is the authorization server as its metadata names it, which is what registrations belong to.
func (c *Client) Issuer(ctx context.Context) (string, error) {
	s, err := c.discover(ctx)
	if err != nil {
		return "", err
	}
	return s.Issuer, nil
}

// Register registers this deployment (RFC 7591) and returns its client id. Atlassian binds a client
// to its exact redirect URI. A *Refusal is Atlassian's own no.
func (c *Client) Register(ctx context.Context) (string, error) {
	s, err := c.discover(ctx)
	if err != nil {
		return "", err
	}
	answer, err := oauthex.RegisterClient(ctx, s.RegistrationEndpoint, &oauthex.ClientRegistrationMetadata{
		ClientName:              "Sallyport",
		ApplicationType:         "web",
		RedirectURIs:            []string{c.cfg.Callback},
		TokenEndpointAuthMethod: "none",
		GrantTypes:              []string{"authorization_code", "refresh_token"},
		ResponseTypes:           []string{"code"},
	}, c.http)
	if refused, ok := errors.AsType[*oauthex.ClientRegistrationError](err); ok {
		err = &Refusal{Code: refused.ErrorCode, Description: refused.ErrorDescription}
	}
	if err != nil {
		return "", fmt.Errorf("registering at Atlassian: %w", err)
	}
	if answer.ClientSecret != "" {
		return "", fmt.Errorf("registering at Atlassian: a client with a secret was made, though one without was asked for")
	}
	return answer.ClientID, nil
}

// Knows says whether Atlassian still has a registration. There is no endpoint that tells, but a
// token request of an unknown client is refused as such, whatever it asks for (RFC 6749 section 5.2).
// Without it a person would end on an error page of Atlassian's, and Sallyport would never learn.
func (c *Client) Knows(ctx context.Context, clientID string) bool {
	_, err := c.Refresh(ctx, clientID, "none")
	return !IsLostClient(err)
}

// IsLostClient says that Atlassian refused because it no longer knows Sallyport's registration.
func IsLostClient(err error) bool {
	var refusal *Refusal
	return errors.As(err, &refusal) && refusal.Code == "invalid_client"
}

// AuthorizeURL is where a person's browser goes to sign in to Atlassian, to give what scopes say.
func (c *Client) AuthorizeURL(ctx context.Context, clientID, state, verifier string, scopes Scopes) (string, error) {
	s, err := c.discover(ctx)
	if err != nil {
		return "", err
	}
	config := oauth2.Config{
		ClientID:    clientID,
		RedirectURL: c.cfg.Callback,
		Scopes:      c.scopesToAsk(s, scopes),
		Endpoint:    oauth2.Endpoint{AuthURL: s.AuthorizationEndpoint},
	}
	return config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("resource", c.resource)), nil
}

// CheckIssuer checks the iss parameter of an authorization answer (RFC 9207), or returns ErrIssuer.
func (c *Client) CheckIssuer(ctx context.Context, iss string) error {
	s, err := c.discover(ctx)
	if err != nil {
		return err
	}
	switch {
	case iss == s.Issuer:
		return nil
	case iss == "" && !s.AuthorizationResponseIssParameterSupported:
		return nil
	case c.cfg.IssuerTolerance && iss == s.named:
		return nil
	}
	return ErrIssuer
}

// Exchange exchanges a code for tokens. A *Refusal is Atlassian's own no.
func (c *Client) Exchange(ctx context.Context, clientID, code, verifier string) (Tokens, error) {
	return c.token(ctx, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.cfg.Callback},
		"code_verifier": {verifier}, "client_id": {clientID},
	})
}

// Refresh exchanges a refresh token for new tokens. The old one is used up then. A *Refusal is
// Atlassian's own no; after any other error the token may or may not have been used.
func (c *Client) Refresh(ctx context.Context, clientID, refresh string) (Tokens, error) {
	tokens, err := c.token(ctx, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {clientID},
	})
	if err == nil && tokens.Refresh == "" {
		tokens.Refresh = refresh
	}
	return tokens, err
}

// token calls the token endpoint. x/oauth2 has no way to send the resource with a refresh, and
// Atlassian's tokens without one are refused by its MCP server.
func (c *Client) token(ctx context.Context, form url.Values) (Tokens, error) {
	s, err := c.discover(ctx)
	if err != nil {
		return Tokens{}, err
	}
	form.Set("resource", c.resource)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.TokenEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return Tokens{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	response, err := c.http.Do(r)
	if err != nil {
		return Tokens{}, fmt.Errorf("asking Atlassian for tokens: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return Tokens{}, fmt.Errorf("asking Atlassian for tokens: %w", err)
	}
	return tokensFrom(response.StatusCode, body)
}

func tokensFrom(status int, body []byte) (Tokens, error) {
	var answer struct {
		Refusal
		Access    string `json:"access_token"`
		Refresh   string `json:"refresh_token"`
		Type      string `json:"token_type"`
		ExpiresIn int64  `json:"expires_in"`
	}
	err := json.Unmarshal(body, &answer)
	if err == nil && answer.Code != "" {
		return Tokens{}, &answer.Refusal
	}
	if status != http.StatusOK {
		return Tokens{}, fmt.Errorf("asking Atlassian for tokens: status %d", status)
	}
	// The body may hold a token, so no part of it goes into an error.
	if err != nil || answer.Access == "" || !strings.EqualFold(answer.Type, "bearer") {
		return Tokens{}, fmt.Errorf("asking Atlassian for tokens: the answer has no bearer token")
	}
	life := time.Duration(answer.ExpiresIn) * time.Second
	if life <= 0 {
		life = assumedLife
	}
	return Tokens{Access: answer.Access, Refresh: answer.Refresh, ExpiresAt: time.Now().Add(life)}, nil
}

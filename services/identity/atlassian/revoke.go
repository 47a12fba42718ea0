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
)

// revokeWaits are the pauses before the second attempt to revoke a token, and before the third.
var revokeWaits = []time.Duration{250 * time.Millisecond, time.Second}

// TokenKind is what RFC 7009 section 2.1 calls a token_type_hint.
type TokenKind string

// The kinds of tokens.
const (
	RefreshToken TokenKind = "refresh_token"
	AccessToken  TokenKind = "access_token"
)

// Revoke has Atlassian end a token (RFC 7009), and with a refresh token all that came from the same
// sign-in. It tries three times where Atlassian doesn't answer. A *Refusal is Atlassian's own no. A token
// that Atlassian doesn't know is answered like one that was ended.
func (c *Client) Revoke(ctx context.Context, clientID, token string, kind TokenKind) error {
	s, err := c.discover(ctx)
	if err != nil {
		return err
	}
	err = c.checkEndpoint("revocation", s.RevocationEndpoint)
	if err != nil {
		return fmt.Errorf("%s: %w", s.named, err)
	}
	form := url.Values{"token": {token}, "token_type_hint": {string(kind)}, "client_id": {clientID}}
	for attempt := 0; ; attempt++ {
		again, err := c.revokeOnce(ctx, s.RevocationEndpoint, form)
		if err == nil || !again || attempt == len(revokeWaits) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(revokeWaits[attempt]):
		}
	}
}

// revokeOnce tries once, and says whether another attempt may help.
func (c *Client) revokeOnce(ctx context.Context, endpoint string, form url.Values) (again bool, _ error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return false, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	response, err := c.http.Do(r)
	if err != nil {
		return ctx.Err() == nil, fmt.Errorf("asking Atlassian to revoke a token: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return false, nil
	}
	failed := response.StatusCode >= http.StatusInternalServerError || response.StatusCode == http.StatusTooManyRequests
	var refusal Refusal
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err == nil && json.Unmarshal(body, &refusal) == nil && refusal.Code != "" {
		return failed, &refusal
	}
	return failed, &statusError{url: endpoint, status: response.StatusCode}
}

// IsUnsupportedToken says that Atlassian doesn't revoke tokens of that kind (RFC 7009 section 2.2.1).
func IsUnsupportedToken(err error) bool {
	var refusal *Refusal
	return errors.As(err, &refusal) && refusal.Code == "unsupported_token_type"
}

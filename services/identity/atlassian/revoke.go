package atlassian

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Revoke has Atlassian end a token that it gave to the client (RFC 7009).
func (c *Client) Revoke(ctx context.Context, clientID, token string) error {
	s, err := c.discover(ctx)
	if err != nil {
		return err
	}
	if s.RevocationEndpoint == "" {
		return errors.New("revoking a token: Atlassian's authorization server has no endpoint for it")
	}
	form := url.Values{"token": {token}, "client_id": {clientID}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.RevocationEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("revoking a token: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("revoking a token: Atlassian answered with status %d", response.StatusCode)
	}
	return nil
}

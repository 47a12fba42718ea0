package atlassian

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Group is an Atlassian group.
type Group struct {
	ID   string `json:"groupId"`
	Name string `json:"name"`
}

// Directory reads people's groups from a Jira site with a service credential: people's own MCP
// tokens have no scope for that.
type Directory struct {
	site, user, token string
	http              *http.Client
}

// OpenDirectory returns a directory for a site such as https://acme.atlassian.net, with the API
// token in tokenFile of the account user, which needs Jira's permission "Browse users and groups".
func OpenDirectory(site, user, tokenFile string) (*Directory, error) {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return nil, fmt.Errorf("reading the Jira service token: %w", err)
	}
	return &Directory{strings.TrimSuffix(site, "/"), user, strings.TrimSpace(string(token)), NewHTTPClient()}, nil
}

// Groups returns the groups of a person.
func (d *Directory) Groups(ctx context.Context, accountID string) ([]Group, error) {
	at := d.site + "/rest/api/3/user/groups?" + url.Values{"accountId": {accountID}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth(d.user, d.token)
	var groups []Group
	err = fetch(d.http, r, &groups)
	if err != nil {
		return nil, fmt.Errorf("asking Jira for groups: %w", err)
	}
	return groups, nil
}

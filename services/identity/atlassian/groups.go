package atlassian

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

const (
	// groupsPage is how many groups are asked for at once. Jira answers with fewer where it wants to.
	groupsPage = 1000
	// maxGroups bounds how many groups of a site are looked through.
	maxGroups = 10_000
)

// Group is an Atlassian group.
type Group struct {
	ID   string `json:"groupId"`
	Name string `json:"name"`
}

// DirectoryConfig is the service credential and where it works.
type DirectoryConfig struct {
	// URL is where Jira's REST API begins: the site, such as https://acme.atlassian.net, for a classic
	// API token, and ScopedURL for a scoped one.
	URL string
	// User is the e-mail of the token's account. Where it is empty, the token goes alone, as a bearer.
	User string
	// TokenFile holds the API token.
	TokenFile string
}

// ScopedURL is where scoped tokens reach the Jira of a site by its cloud id, below Atlassian's API.
func ScopedURL(apiURL, cloudID string) string {
	return strings.TrimSuffix(apiURL, "/") + "/ex/jira/" + url.PathEscape(cloudID)
}

// Directory reads groups from a Jira site with a service credential: people's own MCP tokens have
// no scope for that. The account needs Jira's permission "Browse users and groups". Its errors are
// *Throttled, ErrCredential, ErrPermission, ErrNotFound, or mean that Jira didn't answer.
type Directory struct {
	base, user, token string
	http              *http.Client
}

// OpenDirectory returns a directory. It calls nobody yet.
func OpenDirectory(cfg DirectoryConfig) (*Directory, error) {
	token, err := os.ReadFile(cfg.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("reading the Jira service token: %w", err)
	}
	return &Directory{strings.TrimSuffix(cfg.URL, "/"), cfg.User, strings.TrimSpace(string(token)), NewHTTPClient()}, nil
}

// Groups returns the groups of a person.
func (d *Directory) Groups(ctx context.Context, accountID string) ([]Group, error) {
	var groups []Group
	err := d.get(ctx, "/rest/api/3/user/groups", url.Values{"accountId": {accountID}}, &groups)
	return groups, err
}

// Check asks for one group. Every site has some, so none to see means that they are hidden.
func (d *Directory) Check(ctx context.Context) error {
	var page groupPage
	err := d.get(ctx, "/rest/api/3/group/bulk", url.Values{"maxResults": {"1"}}, &page)
	if err == nil && len(page.Values) == 0 {
		return ErrPermission
	}
	return err
}

// groupPage is one of the pages in which Jira lists groups.
type groupPage struct {
	Values []Group `json:"values"`
	IsLast bool    `json:"isLast"`
}

// AllGroups returns the groups of the site whose name contains query in any case, by name. It looks
// through the first 10,000.
func (d *Directory) AllGroups(ctx context.Context, query string) ([]Group, error) {
	var found []Group
	query = strings.ToLower(query)
	for start := 0; start < maxGroups; {
		var page groupPage
		at := url.Values{"startAt": {strconv.Itoa(start)}, "maxResults": {strconv.Itoa(groupsPage)}}
		err := d.get(ctx, "/rest/api/3/group/bulk", at, &page)
		if err != nil {
			return nil, err
		}
		for _, g := range page.Values {
			if strings.Contains(strings.ToLower(g.Name), query) {
				found = append(found, g)
			}
		}
		if page.IsLast || len(page.Values) == 0 {
			break
		}
		start += len(page.Values)
	}
	slices.SortFunc(found, func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}

func (d *Directory) get(ctx context.Context, path string, query url.Values, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	d.sign(r)
	err = fetch(d.http, r, v)
	if err != nil {
		return explain(err)
	}
	return nil
}

// sign puts the service credential into a request.
func (d *Directory) sign(r *http.Request) {
	if d.user == "" {
		r.Header.Set("Authorization", "Bearer "+d.token)
		return
	}
	r.SetBasicAuth(d.user, d.token)
}

package atlassian

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Site is a site at Atlassian.
type Site struct {
	// ID is its cloud id.
	ID string
	// Host is its host name in small letters, such as acme.atlassian.net; empty where what Atlassian gives as its
	// URL has none.
	Host string
}

var (
	siteID   = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)
	siteHost = regexp.MustCompile(`^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,8}$`)
)

// IsSiteHost says whether a text can be the host name of a site, in small letters.
func IsSiteHost(text string) bool { return siteHost.MatchString(text) }

// resource is a site in the answer of accessible-resources and of getAccessibleAtlassianResources, which have one
// for each product of it.
type resource struct {
	ID  string `json:"id"`
	URL string `json:"url"`
}

func sitesOf(resources []resource) []Site {
	var sites []Site
	for _, r := range resources {
		if r.ID == "" {
			continue
		}
		site := Site{ID: r.ID}
		u, err := url.Parse(r.URL)
		if err == nil && IsSiteHost(strings.ToLower(u.Hostname())) {
			site.Host = strings.ToLower(u.Hostname())
		}
		sites = append(sites, site)
	}
	return sites
}

// askResources asks the REST API for the sites of a token, since the tools didn't tell for the reason why.
func (c *Client) askResources(ctx context.Context, access string, why error) ([]Site, error) {
	var listed []resource
	err := c.askAPI(ctx, access, "/oauth/token/accessible-resources", &listed)
	if err != nil {
		return nil, errors.Join(why, err)
	}
	return sitesOf(listed), nil
}

// askAPI asks the REST API as the person whose token it is.
func (c *Client) askAPI(ctx context.Context, access, path string, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.cfg.APIURL, "/")+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+access)
	return fetch(c.http, r, v)
}

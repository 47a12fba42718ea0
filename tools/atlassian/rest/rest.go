// Package rest is the part of Atlassian's REST APIs that tells who somebody is: /me and
// accessible-resources of api.atlassian.com, which take a person's token, and Jira's group endpoints,
// which take only a service credential.
package rest

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"sallyport/tools/atlassian/oauth"
	"sallyport/tools/atlassian/site"
	"sallyport/tools/atlassian/switches"
)

// The service credential of the stand-in. APIToken is a classic token, for Basic at the site itself;
// ScopedToken is a service account's key, for Bearer below /ex/jira/{cloudId}.
const (
	ServiceEmail = "sallyport-service@acme.test"
	APIToken     = "ATATT-stand-in-classic-token"
	ScopedToken  = "ATSTT-stand-in-scoped-token"
)

// Config says what the API needs.
type Config struct {
	Site     *site.Site
	OAuth    *oauth.Server
	Switches *switches.Switches
}

type api struct{ Config }

// Register adds the routes.
func Register(mux *http.ServeMux, c Config) {
	a := api{c}
	mux.HandleFunc("GET /me", a.me)
	mux.HandleFunc("GET /oauth/token/accessible-resources", a.resources)
	for path, handler := range map[string]http.HandlerFunc{
		"user/groups": a.userGroups, "group/bulk": a.groupBulk, "group/member": a.groupMembers,
		"groups/picker": a.groupPicker, "myself": a.myself,
	} {
		mux.Handle("GET /rest/api/3/"+path, classic(a.losable(handler)))
		mux.Handle("GET /ex/jira/{cloudId}/rest/api/3/"+path, scoped(a.losable(handler)))
	}
}

// Profile is what /me and the tool atlassianUserInfo say of a person.
func Profile(p site.Person) map[string]any {
	nickname, _, _ := strings.Cut(p.Email, "@")
	return map[string]any{
		"account_type": "atlassian", "account_id": p.AccountID, "email": p.Email, "email_verified": true, "name": p.Name,
		"picture":        "https://avatar-management--avatars.us-west-2.prod.public.atl-paas.net/default-avatar.png",
		"account_status": "active", "nickname": nickname, "zoneinfo": "Europe/Berlin", "locale": "en-US",
		"extended_profile": map[string]any{"job_title": p.JobTitle, "organization": "Acme"},
	}
}

// Resources is what accessible-resources and the tool getAccessibleAtlassianResources say: the person's sites, and
// none to a token that reaches no site's data.
func Resources(p site.Person, scopes []string) []map[string]any {
	reaches := slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(ofNoSite, s) })
	resources := []map[string]any{}
	for _, host := range p.Sites {
		if !reaches {
			break
		}
		name, _, _ := strings.Cut(host, ".")
		resources = append(resources, map[string]any{
			"id": cloudID(host), "url": "https://" + host, "name": name, "scopes": scopes,
			"avatarUrl": "https://site-admin-avatar-cdn.prod.public.atl-paas.net/avatars/240/flag.png",
		})
	}
	return resources
}

// ofNoSite are the scopes that are about the person alone.
var ofNoSite = []string{"read:me", "read:account", "offline_access"}

func cloudID(host string) string {
	if host == site.Host {
		return site.CloudID
	}
	sum := sha256.Sum256([]byte(host))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// bearer returns the person behind a person's token, or answers 401.
func (a api) bearer(w http.ResponseWriter, r *http.Request) (oauth.Grant, site.Person, bool) {
	grant, _, err := a.OAuth.Verify(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	person, known := a.Site.Person(grant.AccountID)
	if err != nil || !known {
		answer(w, http.StatusUnauthorized, map[string]any{"code": http.StatusUnauthorized, "message": "Unauthorized"})
		return grant, person, false
	}
	return grant, person, true
}

func (a api) me(w http.ResponseWriter, r *http.Request) {
	if _, person, ok := a.bearer(w, r); ok {
		answer(w, http.StatusOK, Profile(person))
	}
}

func (a api) resources(w http.ResponseWriter, r *http.Request) {
	if grant, person, ok := a.bearer(w, r); ok {
		answer(w, http.StatusOK, Resources(person, grant.Scopes))
	}
}

// classic lets in Basic with the service's e-mail and API token.
func classic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		email, token, ok := r.BasicAuth()
		if !ok || !same(email, ServiceEmail) || !same(token, APIToken) {
			jiraError(w, http.StatusUnauthorized, "Client must be authenticated to access this resource.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// scoped lets in Bearer with the service's scoped token. The tokens of people carry none of Jira's
// REST scopes.
func scoped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !same(r.Header.Get("Authorization"), "Bearer "+ScopedToken) {
			answer(w, http.StatusUnauthorized, map[string]any{"code": http.StatusUnauthorized, "message": "Unauthorized; scope does not match"})
			return
		}
		if r.PathValue("cloudId") != site.CloudID {
			answer(w, http.StatusNotFound, map[string]any{"code": http.StatusNotFound, "message": "No site with this cloudId."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// losable answers with the status of the switch lose_groups while that is on.
func (a api) losable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch status := a.Switches.Values().LoseGroups; status {
		case 0:
			next.ServeHTTP(w, r)
		case http.StatusTooManyRequests:
			w.Header().Set("Retry-After", "5")
			jiraError(w, status, "Rate limit exceeded.")
		case http.StatusUnauthorized:
			jiraError(w, status, "Client must be authenticated to access this resource.")
		default:
			jiraError(w, status, "Service temporarily unavailable.")
		}
	})
}

func jiraError(w http.ResponseWriter, status int, messages ...string) {
	answer(w, status, map[string]any{"errorMessages": messages, "errors": map[string]string{}})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}

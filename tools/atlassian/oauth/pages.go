package oauth

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"

	"sallyport/tools/atlassian/site"
)

//go:embed pages.html
var pagesHTML string

var pages = template.Must(template.New("pages").Parse(pagesHTML))

type loginPage struct {
	ID, CSRF, Client string
	Email, Problem   string
}

type consentPage struct {
	ID, CSRF, Client string
	Redirect         string
	Scopes           []string
	Person, Email    string
	Blocked          bool
}

// Host names the site on the consent page.
func (consentPage) Host() string { return site.Host }

type errorPage struct{ Code, Description string }

func show(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	// No form-action: Chromium applies it to the redirect back to the client too.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	// The browser may be gone; there is nobody left to tell.
	_, _ = w.Write(b.Bytes())
}

func showError(w http.ResponseWriter, status int, code, description string) {
	show(w, status, "error", errorPage{code, description})
}

// serveErrorPage is id.atlassian.com/error, where a browser ends up when Atlassian tells no reason.
func serveErrorPage(w http.ResponseWriter, r *http.Request) {
	showError(w, http.StatusBadRequest, r.URL.Query().Get("error"), r.URL.Query().Get("error_description"))
}

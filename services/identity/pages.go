package identity

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"sallyport/services/internal/state"
)

//go:embed pages
var pageFiles embed.FS

// pages are what people see.
type pages struct {
	consentPage, adminPage, consolePage, messagePage *template.Template
	style                                            template.CSS
	policy                                           string
}

// consentView is what the consent page shows.
type consentView struct {
	Style  template.CSS
	Client state.Registration
	// Redirect is where the answer goes in short, Address in full.
	Redirect, Address string
	// DescribedBy is the host of the client's metadata document, where it has one.
	DescribedBy string
	// Remembered says whether the answer will be.
	Remembered bool
	// Sites says that an admin's site has to be found out.
	Sites bool
	// Request is the sealed consentRequest.
	Request string
	Contact string
}

// messageView is what a page without a question shows.
type messageView struct {
	Style         template.CSS
	Title, Reason string
	Contact       string
}

// consoleView is what the first link shows: paragraphs, and a form with one button.
type consoleView struct {
	Style  template.CSS
	Title  string
	Text   []string
	Action string
	// Token is a hidden field of the form; empty where it has none.
	Token   string
	Button  string
	Contact string
}

func loadPages() (*pages, error) {
	style, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		return nil, err
	}
	p := &pages{style: template.CSS(style)} //nolint:gosec // a file of this program
	sum := sha256.Sum256(style)
	// There is no form-action: browsers apply it to each redirect after the form as well, and those
	// lead to Atlassian, to its login and to the assistant.
	p.policy = fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; frame-ancestors 'none'",
		base64.StdEncoding.EncodeToString(sum[:]))
	p.consentPage, err = template.ParseFS(pageFiles, "pages/layout.html", "pages/consent.html")
	if err != nil {
		return nil, err
	}
	p.adminPage, err = template.ParseFS(pageFiles, "pages/layout.html", "pages/admin.html")
	if err != nil {
		return nil, err
	}
	p.consolePage, err = template.ParseFS(pageFiles, "pages/layout.html", "pages/console.html")
	if err != nil {
		return nil, err
	}
	p.messagePage, err = template.ParseFS(pageFiles, "pages/layout.html", "pages/message.html")
	return p, err
}

func (p *pages) consent(w http.ResponseWriter, view consentView) {
	view.Style = p.style
	page := p.consentPage
	if isBuiltIn(view.Client.ID) {
		page = p.adminPage
	}
	p.show(w, http.StatusOK, page, view)
}

func (p *pages) console(w http.ResponseWriter, status int, view consoleView) {
	view.Style = p.style
	p.show(w, status, p.consolePage, view)
}

func (p *pages) message(w http.ResponseWriter, status int, view messageView) {
	view.Style = p.style
	p.show(w, status, p.messagePage, view)
}

func (p *pages) show(w http.ResponseWriter, status int, page *template.Template, view any) {
	var body bytes.Buffer
	err := page.ExecuteTemplate(&body, "layout.html", view)
	if err != nil {
		http.Error(w, "The page can't be shown.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	// With no-referrer browsers would send "Origin: null" with the form.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}

// refusePage tells a person why a sign-in can't go on, where no assistant can be told.
func (s *server) refusePage(w http.ResponseWriter, _ *http.Request, reason string) {
	s.pages.message(w, http.StatusBadRequest, messageView{Title: "This sign-in can't go on", Reason: reason, Contact: s.contact})
}

// failedPage tells a person that Sallyport itself failed, and logs why.
func (s *server) failedPage(w http.ResponseWriter, _ *http.Request, err error) {
	s.log.Error("sign-in failed", "error", err)
	s.metrics.signIns.WithLabelValues("failed").Inc()
	s.pages.message(w, http.StatusServiceUnavailable, messageView{
		Title: "Sallyport can't sign you in now", Reason: "Try again in a minute. The reason is in Sallyport's log.", Contact: s.contact,
	})
}

// redirectWords is where a redirect goes, as a person reads it.
func redirectWords(u *url.URL) string {
	if u.Scheme == "https" {
		return u.Host
	}
	return strings.TrimSuffix(u.Scheme+"://"+u.Host, "/")
}

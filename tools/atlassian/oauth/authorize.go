package oauth

import (
	"crypto/subtle"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// How long a browser may take to sign in, and a client to redeem its code.
const (
	signInTime = 15 * time.Minute
	codeTime   = time.Minute
)

// serveAuthorize shows the login page. Errors about the client or its redirect address stay on a page of
// this server; all others go back to the client (RFC 6749 section 4.1.2.1).
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	c, ok := s.clients[q.Get("client_id")]
	s.mu.Unlock()
	if !ok {
		showError(w, http.StatusBadRequest, "invalid_request", "The client_id is not known.")
		return
	}
	if !slices.Contains(c.redirectURIs, q.Get("redirect_uri")) {
		showError(w, http.StatusBadRequest, "invalid_request", "redirect_uri is not registered for client: "+q.Get("redirect_uri"))
		return
	}
	a := asked{
		client: c, redirectURI: q.Get("redirect_uri"), state: q.Get("state"),
		scopes: strings.Fields(q.Get("scope")), resource: q.Get("resource"), challenge: q.Get("code_challenge"),
	}
	if code, description := s.wrong(a, q); code != "" {
		s.sendBack(w, r, a, url.Values{"error": {code}, "error_description": {description}})
		return
	}
	if !knownScopes(a.scopes) {
		showError(w, http.StatusBadRequest, "invalid_scope", "This app has requested scopes that have not been added to the app")
		return
	}
	t := s.begin(a)
	http.SetCookie(w, &http.Cookie{Name: cookieName(t.id), Value: t.cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(signInTime.Seconds())})
	show(w, http.StatusOK, "login", loginPage{ID: t.id, CSRF: t.csrf, Client: clientName(c)})
}

func (s *Server) wrong(a asked, q url.Values) (code, description string) {
	resources := []string{"", s.public + V2, s.public + V1, s.public + V1Auth}
	switch {
	case q.Get("response_type") != "code":
		return "unsupported_response_type", "response_type must be code"
	case a.challenge == "" || q.Get("code_challenge_method") != "S256":
		return "invalid_request", "PKCE is required: send code_challenge with code_challenge_method S256"
	case !slices.Contains(resources, a.resource):
		return "invalid_target", "The requested resource is invalid"
	}
	return "", ""
}

func cookieName(id string) string { return "atlassian.signin." + id }

func clientName(c *client) string {
	if c.name == "" {
		return c.id
	}
	return c.name
}

// begin notes a sign-in, and forgets those that took too long.
func (s *Server) begin(a asked) *transaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, t := range s.pending {
		if s.now().After(t.expires) {
			delete(s.pending, id)
		}
	}
	t := &transaction{asked: a, id: random(), csrf: random(), cookie: random(), expires: s.now().Add(signInTime)}
	s.pending[t.id] = t
	return t
}

// resume finds the sign-in to which a request belongs, or shows an error and returns nil. Forms must
// carry the token that is in the page, and every request the cookie of the browser that began.
func (s *Server) resume(w http.ResponseWriter, r *http.Request) *transaction {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	id := r.FormValue("transaction")
	s.mu.Lock()
	t, ok := s.pending[id]
	s.mu.Unlock()
	if !ok || s.now().After(t.expires) {
		showError(w, http.StatusBadRequest, "invalid_request", "This sign-in has expired. Go back to your app and start again.")
		return nil
	}
	cookie, err := r.Cookie(cookieName(id))
	sameBrowser := err == nil && subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(t.cookie)) == 1
	ownForm := r.Method == http.MethodGet || subtle.ConstantTimeCompare([]byte(r.PostFormValue("csrf")), []byte(t.csrf)) == 1
	if !sameBrowser || !ownForm {
		showError(w, http.StatusForbidden, "invalid_request", "This page was not opened by the sign-in it belongs to. Allow cookies, go back to your app and start again.")
		return nil
	}
	return t
}

func (s *Server) serveLogin(w http.ResponseWriter, r *http.Request) {
	t := s.resume(w, r)
	if t == nil {
		return
	}
	email := r.PostFormValue("email")
	person, ok := s.site.PersonByEmail(email)
	if !ok {
		show(w, http.StatusOK, "login", loginPage{
			ID: t.id, CSRF: t.csrf, Client: clientName(t.client), Email: email,
			Problem: "There is no Atlassian account with this e-mail address. Check the address and try again.",
		})
		return
	}
	s.mu.Lock()
	t.accountID = person.AccountID
	s.mu.Unlock()
	http.Redirect(w, r, "/consent?transaction="+url.QueryEscape(t.id), http.StatusSeeOther)
}

func (s *Server) serveConsent(w http.ResponseWriter, r *http.Request) {
	t := s.resume(w, r)
	if t == nil {
		return
	}
	s.mu.Lock()
	person, known := s.site.Person(t.accountID)
	s.mu.Unlock()
	if !known {
		showError(w, http.StatusBadRequest, "invalid_request", "Log in first.")
		return
	}
	values := s.switches.Values()
	show(w, http.StatusOK, "consent", consentPage{
		ID: t.id, CSRF: t.csrf, Client: clientName(t.client), Redirect: t.redirectURI, Scopes: t.scopes,
		Person: person.Name, Email: person.Email,
		Blocked: values.DomainError == "consent" && !allowed(values.Domains, t.redirectURI),
	})
}

func (s *Server) serveDecision(w http.ResponseWriter, r *http.Request) {
	t := s.resume(w, r)
	if t == nil {
		return
	}
	s.mu.Lock()
	accountID := t.accountID
	delete(s.pending, t.id)
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookieName(t.id), Path: "/", MaxAge: -1})
	values := s.switches.Values()
	switch {
	case r.PostFormValue("decision") != "accept" || accountID == "":
		s.sendBack(w, r, t.asked, url.Values{"error": {"access_denied"}, "error_description": {"User did not authorize the request"}})
	case !allowed(values.Domains, t.redirectURI) && values.DomainError == "return":
		s.sendBack(w, r, t.asked, url.Values{"error": {"access_denied"}, "error_description": {"Your organization admin must authorize access from this redirect URL"}})
	case !allowed(values.Domains, t.redirectURI):
		http.Redirect(w, r, "/error?error=invalid_request&error_description=Incorrect+request+parameters", http.StatusSeeOther)
	default:
		c := &code{asked: t.asked, accountID: accountID, expires: s.now().Add(codeTime), family: random()}
		text := random() + random()
		s.mu.Lock()
		s.codes[text] = c
		s.issued = append(s.issued, text)
		s.mu.Unlock()
		s.sendBack(w, r, t.asked, url.Values{"code": {text}})
	}
}

// sendBack returns the browser to the client with the outcome.
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, a asked, outcome url.Values) {
	to, err := url.Parse(a.redirectURI)
	if err != nil {
		showError(w, http.StatusBadRequest, "invalid_request", "Incorrect request parameters")
		return
	}
	q := to.Query()
	maps.Copy(q, outcome)
	if a.state != "" {
		q.Set("state", a.state)
	}
	if s.switches.Values().Iss {
		q.Set("iss", s.issuer())
	}
	to.RawQuery = q.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound)
}

package identity

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/oauth2"

	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

// consoleSignIn is what a browser that signs in to the console keeps until it comes back, sealed in a cookie.
type consoleSignIn struct {
	State string `json:"state"`
	// Verifier is the PKCE verifier of the console as a client.
	Verifier string `json:"verifier"`
	// FirstLink is the token of the first link that the person came by; empty without one.
	FirstLink string `json:"first_link,omitzero"`
	// Return is the page that the person came from, as path and query; empty for where the console begins.
	Return    string    `json:"return,omitzero"`
	ExpiresAt time.Time `json:"expires_at"`
}

const consoleSignInUse = "sign-in to the console"

// consoleRoutes are what Envoy has at the console's own address, where it takes /console off the paths.
func (s *server) consoleRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /console/oauth-protected-resource", s.adminResource)
	mux.HandleFunc("GET /console/signin", func(w http.ResponseWriter, r *http.Request) {
		s.beginConsole(w, r, consoleSignIn{Return: returnPath(r.URL.Query().Get("return"))})
	})
	mux.HandleFunc("GET /console/signin/callback", s.consoleCallback)
	mux.HandleFunc("POST /console/signout", s.signOut)
	mux.HandleFunc("GET /console/first/{token}", s.firstLinkPage)
	mux.HandleFunc("POST /console/first", s.firstLink)
}

// adminResource describes the admin API (RFC 9728), for the command line.
func (s *server) adminResource(w http.ResponseWriter, _ *http.Request) {
	answerMetadata(w, resourceMetadata{
		Resource: s.console, ResourceName: "Sallyport's admin API", AuthorizationServers: []string{s.issuer},
		ScopesSupported: []string{adminScope}, BearerMethods: []string{"header"},
	})
}

// beginConsole sends a browser to sign in to the console, as a client like any other (RFC 6749 section 4.1.1).
func (s *server) beginConsole(w http.ResponseWriter, r *http.Request, begun consoleSignIn) {
	begun.State, begun.Verifier, begun.ExpiresAt = seal.Random(32), oauth2.GenerateVerifier(), time.Now().Add(state.SignInLife)
	text, err := json.Marshal(begun)
	if err != nil {
		s.failedPage(w, r, err)
		return
	}
	s.setConsoleCookie(w, s.consoleSignInCookie(), base64.RawURLEncoding.EncodeToString(s.box.Seal(string(text), consoleSignInUse)), state.SignInLife)
	query := url.Values{
		"response_type": {"code"}, "client_id": {consoleClient}, "redirect_uri": {s.console + "/signin/callback"}, "state": {begun.State},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(begun.Verifier)}, "code_challenge_method": {"S256"},
		"resource": {s.console}, "scope": {adminScope},
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, s.issuer+"/oauth/authorize?"+query.Encode(), http.StatusSeeOther)
}

// consoleCallback is where the browser comes back with a code, which it exchanges for the session.
func (s *server) consoleCallback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	begun, ok := s.readConsoleSignIn(r)
	if !ok || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(begun.State)) != 1 || query.Get("iss") != s.issuer {
		s.log.Warn("sign-in to the console refused", "reason", "this browser didn't begin it")
		s.refusePage(w, r, "This sign-in took longer than ten minutes, was finished already, or began in another browser. Open the console again.")
		return
	}
	s.setConsoleCookie(w, s.consoleSignInCookie(), "", -time.Second)
	if query.Get("error") != "" {
		s.refusePage(w, r, query.Get("error_description"))
		return
	}
	registration, ok := s.builtIn(consoleClient)
	if !ok {
		s.failedPage(w, r, errors.New("there is no console"))
		return
	}
	answer, err := s.exchangeCode(r.Context(), registration, url.Values{
		"code": {query.Get("code")}, "code_verifier": {begun.Verifier}, "redirect_uri": {registration.RedirectURIs[0]},
	})
	s.metrics.tokens.WithLabelValues("authorization_code", tokenResult(err)).Inc()
	if refused, ok := errors.AsType[errRefused](err); ok {
		s.refusePage(w, r, refused.Description+" Open the console again.")
		return
	}
	if err != nil {
		s.failedPage(w, r, err)
		return
	}
	s.setConsoleCookie(w, state.ConsoleCookie(s.console), answer.AccessToken, consoleLife)
	if begun.FirstLink != "" && !s.becomeFirst(w, r, state.TokenHash(answer.AccessToken), begun.FirstLink) {
		return
	}
	http.Redirect(w, r, s.console+cmp.Or(begun.Return, "/"), http.StatusSeeOther)
}

// maxReturn is in bytes: the cookie it is in holds 4,096.
const maxReturn = 2000

// returnPath returns a page of the console's, or "" where it can't be one. What follows the console's address
// with a slash stays there, whatever it is.
func returnPath(path string) string {
	if !strings.HasPrefix(path, "/") || len(path) > maxReturn {
		return ""
	}
	return path
}

func (s *server) readConsoleSignIn(r *http.Request) (consoleSignIn, bool) {
	var begun consoleSignIn
	cookie, err := r.Cookie(s.consoleSignInCookie())
	if err != nil {
		return begun, false
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return begun, false
	}
	text, err := s.box.Open(sealed, consoleSignInUse)
	return begun, err == nil && json.Unmarshal([]byte(text), &begun) == nil && time.Now().Before(begun.ExpiresAt)
}

// signOut ends a session of the console. Only a page of the console's own may ask for it.
func (s *server) signOut(w http.ResponseWriter, r *http.Request) {
	if !s.fromConsole(r) {
		s.refusePage(w, r, "Another site's page can't sign you out. Open the console and sign out there.")
		return
	}
	granted, err := s.consoleGrant(r)
	if err == nil {
		err = s.endAdmin(r.Context(), granted)
	}
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		s.failedPage(w, r, err)
		return
	}
	s.setConsoleCookie(w, state.ConsoleCookie(s.console), "", -time.Second)
	http.Redirect(w, r, s.console+"/", http.StatusSeeOther)
}

// fromConsole says whether the browser says that a request comes from a page of the console.
func (s *server) fromConsole(r *http.Request) bool {
	protection := http.NewCrossOriginProtection()
	return protection.AddTrustedOrigin(s.console) == nil && protection.Check(r) == nil
}

// consoleGrant returns the grant of whoever is signed in in a browser; state.ErrNotFound where nobody is.
func (s *server) consoleGrant(r *http.Request) (state.Grant, error) {
	cookie, err := r.Cookie(state.ConsoleCookie(s.console))
	if err != nil {
		return state.Grant{}, state.ErrNotFound
	}
	return s.grantOfConsole(r.Context(), state.TokenHash(cookie.Value))
}

func (s *server) grantOfConsole(ctx context.Context, access string) (state.Grant, error) {
	return s.store.SessionGrant(ctx, access, s.console)
}

func (s *server) consoleSignInCookie() string { return state.ConsoleCookie(s.console) + "_signin" }

// setConsoleCookie sets a cookie of the console's, or removes it where its life is negative.
func (s *server) setConsoleCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		Secure: secureURL(s.console), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

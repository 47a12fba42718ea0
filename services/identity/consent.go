package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/oauth2"

	"sallyport/services/identity/atlassian"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

// consentLife is how long the consent page may stay open.
const consentLife = 30 * time.Minute

// consentRequest is what the consent form carries, sealed for the browser that it was shown in. It
// is the CSRF token too: another browser's, or one for another request, can't be opened.
type consentRequest struct {
	authorization
	ExpiresAt time.Time `json:"expires_at"`
}

// signIn is what has to be known when a person comes back from Atlassian.
type signIn struct {
	authorization
	// Verifier is Sallyport's own PKCE verifier towards Atlassian.
	Verifier string `json:"verifier"`
	// UpstreamClient is Sallyport's client id there.
	UpstreamClient string `json:"upstream_client"`
	// Browser is the hash of the cookie of the browser that consented. Nobody else's may come back.
	Browser string `json:"browser"`
}

// consentPage asks the person before Atlassian is asked: Atlassian knows Sallyport only, so it can't
// show them which assistant it is for.
func (s *server) consentPage(w http.ResponseWriter, r *http.Request, registration state.Registration, asked authorization) {
	browser := s.browserOrNew(w, r)
	request, err := json.Marshal(consentRequest{asked, time.Now().Add(consentLife)})
	if err != nil {
		s.failedPage(w, r, err)
		return
	}
	target, err := url.Parse(asked.RedirectURI)
	if err != nil {
		s.failedPage(w, r, err)
		return
	}
	_, remembered := memorable(asked)
	sealed := s.box.Seal(string(request), consentUse(browser))
	s.pages.consent(w, consentView{
		Client:   registration,
		Redirect: redirectWords(target), Address: asked.RedirectURI,
		DescribedBy: describedBy(registration.ID), Remembered: remembered, Sites: len(s.sites) > 0,
		Request: base64.RawURLEncoding.EncodeToString(sealed),
		Contact: s.contact,
	})
}

func consentUse(browser string) string { return "consent in the browser " + browser }

// consent takes the person's answer.
func (s *server) consent(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	asked, ok := s.readConsent(r)
	if !ok {
		s.metrics.signIns.WithLabelValues("refused").Inc()
		s.log.Warn("sign-in refused", "reason", "the consent form wasn't sent from its own page")
		s.refusePage(w, r, "This page was open for too long, or it was opened in another browser window. Start again from your assistant.")
		return
	}
	registration, problem, err := s.stillAsked(r.Context(), asked)
	if err != nil {
		s.failedPage(w, r, err)
		return
	}
	if problem != "" {
		s.metrics.signIns.WithLabelValues("refused").Inc()
		s.log.Warn("sign-in refused", "client_id", asked.ClientID, "reason", problem)
		s.refusePage(w, r, problem)
		return
	}
	if r.PostForm.Get("decision") != "allow" {
		s.metrics.signIns.WithLabelValues("cancelled").Inc()
		s.log.Info("sign-in cancelled", "client", registration.Key)
		s.redirectBack(w, r, asked, oauthError{"access_denied", "The person didn't allow it."}.query())
		return
	}
	s.goToAtlassian(w, r, asked, s.browser(r))
}

// goToAtlassian sends a browser to Atlassian to sign in.
func (s *server) goToAtlassian(w http.ResponseWriter, r *http.Request, asked authorization, browser string) {
	at, err := s.startSignIn(r.Context(), asked, browser)
	if err != nil {
		s.signInFailed(w, r, asked, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, at, http.StatusSeeOther)
}

// readConsent opens what the form carries. Beside the seal, the browser itself must say that the
// form comes from this site.
func (s *server) readConsent(r *http.Request) (authorization, bool) {
	var request consentRequest
	protection := http.NewCrossOriginProtection()
	if protection.AddTrustedOrigin(s.issuer) != nil || protection.Check(r) != nil || r.ParseForm() != nil {
		return authorization{}, false
	}
	browser := s.browser(r)
	sealed, err := base64.RawURLEncoding.DecodeString(r.PostForm.Get("request"))
	if browser == "" || err != nil {
		return authorization{}, false
	}
	text, err := s.box.Open(sealed, consentUse(browser))
	if err != nil || json.Unmarshal([]byte(text), &request) != nil || time.Now().After(request.ExpiresAt) {
		return authorization{}, false
	}
	return request.authorization, true
}

// startSignIn remembers the sign-in and returns where the browser goes now.
func (s *server) startSignIn(ctx context.Context, asked authorization, browser string) (string, error) {
	client, err := s.signInClient(ctx)
	if err != nil {
		return "", err
	}
	upstreamState := seal.Random(32)
	hash := state.TokenHash(upstreamState)
	begun := signIn{authorization: asked, Verifier: oauth2.GenerateVerifier(), UpstreamClient: client, Browser: state.TokenHash(browser)}
	scopes := atlassian.AllScopes
	if isBuiltIn(asked.ClientID) {
		scopes = atlassian.PersonScopes
		if len(s.sites) > 0 {
			scopes = atlassian.SiteScopes
		}
	}
	at, err := s.atlassian.AuthorizeURL(ctx, client, upstreamState, begun.Verifier, scopes)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(begun)
	if err != nil {
		return "", err
	}
	err = s.store.SaveSignIn(ctx, hash, s.box.Seal(string(text), signInUse(hash)))
	if err != nil {
		return "", err
	}
	s.observeSent(ctx, hash)
	return at, nil
}

func signInUse(stateHash string) string { return "sign-in " + stateHash }

// signInFailed tells the assistant why a sign-in ended, and the log.
func (s *server) signInFailed(w http.ResponseWriter, r *http.Request, asked authorization, err error) {
	answer := oauthError{"server_error", "Sallyport couldn't finish the sign-in at Atlassian. Try again; the reason is in Sallyport's log."}
	result := "failed"
	if refusal, ok := errors.AsType[*atlassian.Refusal](err); ok {
		result = "refused"
		answer = oauthError{"server_error", refusal.Error()}
		if refusal.Code == "access_denied" {
			answer.Code = "access_denied"
		}
	}
	if problem, ok := s.problemAnswer(err); ok {
		result, answer = "refused", problem
	}
	if other, ok := errors.AsType[errOtherSite](err); ok {
		result, answer = "refused", other.answer()
	}
	s.metrics.signIns.WithLabelValues(result).Inc()
	if result == "refused" {
		s.log.Warn("sign-in refused", "client_id", asked.ClientID, "reason", err)
	} else {
		s.log.Error("sign-in failed", "client_id", asked.ClientID, "error", err)
	}
	s.redirectBack(w, r, asked, answer.query())
}

// hostCookie is the name of a cookie, with the prefix __Host- wherever cookies can be Secure, so that
// no other host can set it.
func (s *server) hostCookie(name string) string {
	if s.secure() {
		return "__Host-" + name
	}
	return name
}

func (s *server) secure() bool { return secureURL(s.issuer) }

func secureURL(address string) bool { return strings.HasPrefix(address, "https:") }

// browser is the random name of the browser, or empty.
func (s *server) browser(r *http.Request) string {
	cookie, err := r.Cookie(s.hostCookie("sallyport_browser"))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// browserOrNew is the browser's name, given to it now where it has none.
func (s *server) browserOrNew(w http.ResponseWriter, r *http.Request) string {
	browser := s.browser(r)
	if browser == "" {
		browser = seal.Random(32)
		s.setCookie(w, s.hostCookie("sallyport_browser"), browser, consentLife+state.SignInLife)
	}
	return browser
}

func (s *server) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	// Lax, since the person comes back from Atlassian's site, and from their assistant.
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		Secure: s.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

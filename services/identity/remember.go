package identity

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"sallyport/services/identity/document"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

// errOtherPerson means that somebody else came back from Atlassian than the one whose consent was
// remembered.
var errOtherPerson = errors.New("another person signed in at Atlassian than in this browser before")

// rememberedBy returns the account of the person who signed in last in this browser, if they have
// allowed this client this already; empty where the page has to be shown.
func (s *server) rememberedBy(r *http.Request, asked authorization) (string, error) {
	redirect, ok := memorable(asked)
	cookie := s.knownBrowser(r)
	if !ok || cookie == "" {
		return "", nil
	}
	account, err := s.store.BrowserAccount(r.Context(), state.TokenHash(cookie))
	if errors.Is(err, state.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	known, err := s.store.Consent(r.Context(), account, asked.ClientID)
	if errors.Is(err, state.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if known.Redirect != redirect || known.Scope != scope {
		return "", nil
	}
	return account, nil
}

// memorable returns a redirect as it is remembered, and whether a consent to it can be: not where the
// client_id is one that anybody can give and the code goes to an app on the person's machine, since
// that could be any app (RFC 8252 section 8.6).
func memorable(asked authorization) (redirect string, ok bool) {
	u, err := url.Parse(asked.RedirectURI)
	if err != nil || isBuiltIn(asked.ClientID) || u.Scheme != "https" && document.Names(asked.ClientID) {
		return "", false
	}
	if u.Scheme == "http" {
		return withoutPort(u), true
	}
	return asked.RedirectURI, true
}

// remember remembers who signed in in this browser, and what they allowed.
func (s *server) remember(w http.ResponseWriter, r *http.Request, account string, asked authorization) error {
	redirect, ok := memorable(asked)
	if ok {
		err := s.store.SaveConsent(r.Context(), account, asked.ClientID, state.Consent{Redirect: redirect, Scope: scope, At: time.Now().UTC()})
		if err != nil {
			return err
		}
	}
	// Another cookie each time: one that was set before the person signed in stays worth nothing.
	err := s.forgetBrowser(r)
	if err != nil {
		return err
	}
	cookie := seal.Random(32)
	err = s.store.KnowBrowser(r.Context(), state.TokenHash(cookie), account)
	if err != nil {
		return err
	}
	s.setCookie(w, s.hostCookie("sallyport_known"), cookie, state.BrowserLife)
	return nil
}

func (s *server) forgetBrowser(r *http.Request) error {
	cookie := s.knownBrowser(r)
	if cookie == "" {
		return nil
	}
	return s.store.ForgetBrowser(r.Context(), state.TokenHash(cookie))
}

// knownBrowser is the cookie of a browser in which somebody signed in, or empty.
func (s *server) knownBrowser(r *http.Request) string {
	cookie, err := r.Cookie(s.hostCookie("sallyport_known"))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// askOtherPerson shows the page after all, to the person who came back instead of the one who had
// allowed it. Nothing of this sign-in is kept.
func (s *server) askOtherPerson(w http.ResponseWriter, r *http.Request, asked authorization) {
	s.log.Info("consent asked for", "client_id", asked.ClientID, "reason", errOtherPerson)
	err := s.forgetBrowser(r)
	if err != nil {
		s.failedPage(w, r, err)
		return
	}
	registration, problem, err := s.stillAsked(r.Context(), asked)
	switch {
	case err != nil:
		s.failedPage(w, r, err)
	case problem != "":
		s.refusePage(w, r, problem)
	default:
		asked.RememberedBy = ""
		s.consentPage(w, r, registration, asked)
	}
}

package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/services/identity/atlassian"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

// signInTimeout bounds all calls that finish a sign-in together; Envoy waits 30 s.
const signInTimeout = 25 * time.Second

// callbackFromAtlassian is where a person comes back from Atlassian (RFC 6749 section 4.1.2).
func (s *server) callbackFromAtlassian(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	begun, err := s.takeSignIn(r, query.Get("state"))
	s.observeReturned(r.Context(), query.Get("state"))
	if errors.Is(err, state.ErrNotFound) {
		s.metrics.signIns.WithLabelValues("refused").Inc()
		s.log.Warn("sign-in refused", "reason", "nobody in this browser began it, or it is over", "atlassian_error", query.Get("error"))
		s.refusePage(w, r, "This sign-in took longer than ten minutes, was finished already, or began in another browser. Start again from your assistant.")
		return
	}
	if err != nil {
		s.failedPage(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), signInTimeout)
	defer cancel()
	account, code, err := s.finishSignIn(ctx, begun, r)
	if errors.Is(err, errOtherPerson) {
		s.askOtherPerson(w, r, begun.authorization)
		return
	}
	if told, ok := errors.AsType[errTold](err); ok {
		s.metrics.signIns.WithLabelValues("refused").Inc()
		s.log.Warn("sign-in refused", "client_id", begun.ClientID, "reason", told)
		s.refusePage(w, r, told.reason)
		return
	}
	if err == nil {
		err = s.remember(w, r, account, begun.authorization)
	}
	if err != nil {
		s.observeRefusal(ctx, err)
		s.signInFailed(w, r, begun.authorization, err)
		return
	}
	s.metrics.signIns.WithLabelValues("signed_in").Inc()
	s.redirectBack(w, r, begun.authorization, url.Values{"code": {code}})
}

// takeSignIn returns the sign-in of a state, once, and only to the browser that began it;
// state.ErrNotFound otherwise.
func (s *server) takeSignIn(r *http.Request, upstreamState string) (signIn, error) {
	var begun signIn
	hash := state.TokenHash(upstreamState)
	// It is looked at before it is taken, so that nobody else can use up a state that they saw.
	sealed, err := s.store.SignIn(r.Context(), hash)
	if err != nil {
		return begun, err
	}
	text, err := s.box.Open(sealed, signInUse(hash))
	if err != nil {
		return begun, err
	}
	err = json.Unmarshal([]byte(text), &begun)
	if err != nil {
		return begun, err
	}
	browser := s.browser(r)
	if browser == "" || begun.Browser != state.TokenHash(browser) {
		return begun, state.ErrNotFound
	}
	_, err = s.store.TakeSignIn(r.Context(), hash)
	return begun, err
}

// finishSignIn makes of Atlassian's answer a grant, and returns the person's account and the code for the
// assistant. It returns errTold where the assistant may no longer have it, and errOtherPerson.
func (s *server) finishSignIn(ctx context.Context, begun signIn, r *http.Request) (account, code string, _ error) {
	answer := r.URL.Query()
	registration, problem, err := s.stillAsked(ctx, begun.authorization)
	if err != nil {
		return "", "", fmt.Errorf("the assistant that began the sign-in: %w", err)
	}
	if problem != "" {
		return "", "", errTold{problem}
	}
	err = s.atlassian.CheckIssuer(ctx, answer.Get("iss"))
	if err != nil {
		return "", "", err
	}
	if answer.Get("error") != "" {
		return "", "", &atlassian.Refusal{Code: answer.Get("error"), Description: answer.Get("error_description")}
	}
	tokens, err := s.atlassian.Exchange(ctx, begun.UpstreamClient, answer.Get("code"), begun.Verifier)
	if err != nil {
		if atlassian.IsLostClient(err) {
			s.forgetClient(ctx)
		}
		return "", "", err
	}
	s.observe(ctx, state.SignedIn, nil)
	if isBuiltIn(registration.ID) {
		return s.grantAdmin(ctx, begun, registration, tokens, r)
	}
	if tokens.Refresh == "" {
		return "", "", errors.New("Atlassian gave no refresh token")
	}
	person, err := s.who(ctx, tokens.Access)
	if err != nil {
		if _, other := errors.AsType[errOtherSite](err); other {
			s.giveBack(ctx, begun.UpstreamClient, tokens)
		}
		return "", "", err
	}
	if begun.RememberedBy != "" && begun.RememberedBy != person.AccountID {
		s.giveBack(ctx, begun.UpstreamClient, tokens)
		return "", "", errOtherPerson
	}
	code, err = s.grant(ctx, begun, registration, person, tokens)
	return person.AccountID, code, err
}

// grant stores what the sign-in brought: the person's tokens and groups, and a grant with its code.
func (s *server) grant(ctx context.Context, begun signIn, registration state.Registration, person atlassian.Person, tokens atlassian.Tokens) (string, error) {
	// A refresh under way with the person's former token must not store its outcome over this one.
	unlock, err := s.store.Lock(ctx, refreshLock(person.AccountID), refreshTimeout)
	if err != nil {
		return "", err
	}
	defer unlock()
	err = s.store.SaveUpstream(ctx, person.AccountID, s.sealed(person.AccountID, tokens))
	if err != nil {
		return "", err
	}
	err = s.groupsForSignIn(ctx, person.AccountID, state.AccessLife)
	if err != nil {
		return "", err
	}
	code, err := s.createGrant(ctx, begun, registration, person)
	if err != nil {
		return "", err
	}
	s.learnTools(person.AccountID, tokens.Access)
	return code, nil
}

// createGrant stores a grant, and returns its code.
func (s *server) createGrant(ctx context.Context, begun signIn, registration state.Registration, person atlassian.Person) (string, error) {
	code := seal.Random(32)
	granted := state.Grant{
		// On a command line it isn't a flag, whatever the random part begins with.
		ID: "c" + seal.Random(16), Rev: seal.Random(9),
		AccountID: person.AccountID, Email: person.Email, Name: person.Name,
		ClientID: registration.ID, ClientKey: registration.Key, ClientName: registration.Name, ClientClass: registration.Class,
		Resource: begun.Resource, Site: person.Site().ID, SiteHost: person.Site().Host, CreatedAt: time.Now(),
	}
	err := s.store.CreateGrant(ctx, granted, state.TokenHash(code), state.Code{
		GrantID: granted.ID, ClientID: begun.ClientID, RedirectURI: begun.RedirectURI, Challenge: begun.Challenge, Resource: begun.Resource,
	})
	if err != nil {
		return "", err
	}
	s.log.Info("signed in", "grant", granted.ID, "account_id", granted.AccountID, "client", granted.ClientKey,
		"class", granted.ClientClass, "site", granted.Site)
	return code, nil
}

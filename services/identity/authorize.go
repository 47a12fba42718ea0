package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"sallyport/services/identity/document"
	"sallyport/services/internal/state"
)

// challengeBytes is the length of an S256 challenge: SHA-256 in base64url.
const challengeBytes = 43

// forgotten is what a person is told whose assistant isn't known.
const forgotten = "Sallyport doesn't know this assistant, or has forgotten it. Remove the connection in your assistant and add it again."

// authorization is what an assistant asks for, once it is checked. It travels sealed, through the
// consent form and while the person is at Atlassian.
type authorization struct {
	ClientID    string `json:"client_id"`
	RedirectURI string `json:"redirect_uri"`
	State       string `json:"state"`
	// Challenge is the client's PKCE challenge, method S256.
	Challenge string `json:"challenge"`
	// Resource is what the tokens will be for.
	Resource string `json:"resource"`
	// RememberedBy is the account whose earlier consent this rests on: only that person may come back.
	// It is empty where the page was shown.
	RememberedBy string `json:"remembered_by,omitzero"`
}

// authorize shows the consent page (RFC 6749 section 4.1.1), or goes on to Atlassian where the person has
// consented before. To a stranger it changes nothing but a cookie: some assistants fetch the address
// once before they open it in the browser.
func (s *server) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	registration, redirect, problem, err := s.knownClient(r, query)
	if err != nil {
		s.failedPage(w, r, err)
		return
	}
	if problem != "" {
		s.metrics.signIns.WithLabelValues("refused").Inc()
		s.log.Info("sign-in refused", "reason", problem)
		s.refusePage(w, r, problem)
		return
	}
	asked := authorization{
		ClientID: registration.ID, RedirectURI: redirect, State: query.Get("state"), Challenge: query.Get("code_challenge"),
		Resource: s.resourceOf(registration.ID),
	}
	if refusal := checkAuthorization(query, asked.Resource); refusal != nil {
		s.log.Info("sign-in refused", "client", registration.Key, "reason", refusal.Description)
		s.metrics.signIns.WithLabelValues("refused").Inc()
		s.redirectBack(w, r, asked, refusal.query())
		return
	}
	if registration.ID == consoleClient {
		s.goToAtlassian(w, r, asked, s.browserOrNew(w, r))
		return
	}
	asked.RememberedBy, err = s.rememberedBy(r, asked)
	switch {
	case err != nil:
		s.failedPage(w, r, err)
	case asked.RememberedBy != "":
		s.log.Info("consent remembered", "account_id", asked.RememberedBy, "client", registration.Key)
		s.goToAtlassian(w, r, asked, s.browserOrNew(w, r))
	default:
		s.consentPage(w, r, registration, asked)
	}
}

// knownClient finds who asks and where the answer goes. Where either is wrong nothing may be sent
// there (RFC 6749 section 4.1.2.1): problem then says in words what a page tells the person.
func (s *server) knownClient(r *http.Request, query url.Values) (_ state.Registration, redirect, problem string, _ error) {
	var none state.Registration
	id, repeated := single(query, "client_id")
	if repeated != nil || id == "" {
		return none, "", "The address that your assistant opened doesn't say which assistant it is.", nil
	}
	registration, err := s.askedBy(r, id)
	if told, ok := errors.AsType[errTold](err); ok {
		return none, "", told.reason, nil
	}
	if errors.Is(err, state.ErrNotFound) {
		return none, "", forgotten, nil
	}
	if err != nil {
		return none, "", "", err
	}
	redirect, repeated = single(query, "redirect_uri")
	if repeated != nil || !redirectFits(registration, redirect) {
		return none, "", fmt.Sprintf("%s wants the answer sent to %q, which isn't an address that it registered.", registration.Name, redirect), nil
	}
	return registration, redirect, "", nil
}

// askedBy is registration for a request of a browser, which may be the first that names a client.
func (s *server) askedBy(r *http.Request, id string) (state.Registration, error) {
	if document.Names(id) {
		err := s.mayFetch(r, id)
		if err != nil {
			return state.Registration{}, err
		}
	}
	return s.registration(r.Context(), id)
}

// stillAsked looks a client up again in the course of a sign-in. It may have been forgotten, or have
// changed its document, since it was sent to the person's browser: problem then says so in words, and
// nothing may be sent to its redirect.
func (s *server) stillAsked(ctx context.Context, asked authorization) (_ state.Registration, problem string, _ error) {
	registration, err := s.registration(ctx, asked.ClientID)
	if told, ok := errors.AsType[errTold](err); ok {
		return registration, told.reason, nil
	}
	if errors.Is(err, state.ErrNotFound) {
		return registration, forgotten, nil
	}
	if err == nil && !redirectFits(registration, asked.RedirectURI) {
		problem = fmt.Sprintf("%s no longer takes answers at %q. Start again from your assistant.", registration.Name, asked.RedirectURI)
	}
	return registration, problem, err
}

// checkAuthorization says what is wrong with the rest of the request, or nil.
func checkAuthorization(query url.Values, resource string) *oauthError {
	for _, name := range []string{"response_type", "response_mode", "state", "code_challenge", "code_challenge_method", "scope"} {
		_, repeated := single(query, name)
		if repeated != nil {
			return repeated
		}
	}
	switch {
	case query.Get("response_type") != "code":
		return &oauthError{"unsupported_response_type", "The response_type must be code."}
	case query.Has("response_mode") && query.Get("response_mode") != "query":
		return &oauthError{"invalid_request", "The response_mode must be query."}
	case query.Get("code_challenge") == "":
		return &oauthError{"invalid_request", "PKCE is required: the code_challenge is missing."}
	case query.Get("code_challenge_method") != "S256":
		return &oauthError{"invalid_request", "The code_challenge_method must be S256."}
	case len(query.Get("code_challenge")) != challengeBytes:
		return &oauthError{"invalid_request", "The code_challenge isn't a SHA-256 in base64url."}
	}
	return checkResource(query, resource)
}

// checkResource refuses tokens for anything but the client's own resource (RFC 8707). A request without a
// resource means that one, since there is no other for it: clients of the revision 2025-03-26 send none,
// and go-sdk none with a refresh.
func checkResource(values url.Values, resource string) *oauthError {
	for _, asked := range values["resource"] {
		if asked != resource {
			return &oauthError{"invalid_target", "This client's tokens are for the resource " + resource + " only."}
		}
	}
	return nil
}

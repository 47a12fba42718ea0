package identity

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/services/internal/assistant"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

const (
	// maxFormBytes bounds the body of every request.
	maxFormBytes = 32 << 10
	// maxRegistrationBytes bounds a registration, which is kept; real ones have 1 KiB at most.
	maxRegistrationBytes = 8 << 10
)

// registered is the answer to a registration (RFC 7591 section 3.2.1). What a client asked for and
// can't have, such as a secret, is answered with what it gets.
type registered struct {
	ClientID        string   `json:"client_id"`
	IssuedAt        int64    `json:"client_id_issued_at"`
	Name            string   `json:"client_name"`
	RedirectURIs    []string `json:"redirect_uris"`
	TokenAuthMethod string   `json:"token_endpoint_auth_method"`
	GrantTypes      []string `json:"grant_types"`
	ResponseTypes   []string `json:"response_types"`
	Scope           string   `json:"scope"`
}

// register registers an assistant (RFC 7591). Anybody may; it gives no access by itself.
func (s *server) register(w http.ResponseWriter, r *http.Request) {
	wait, err := s.store.Allow(r.Context(), s.limit("registrations"), source(r))
	if err != nil {
		s.metrics.registrations.WithLabelValues("failed").Inc()
		s.failed(w, r, "registration", err)
		return
	}
	if wait > 0 {
		s.metrics.registrations.WithLabelValues("limited").Inc()
		s.log.Warn("registration refused", "reason", "too many within ten minutes", "source", source(r))
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
		answerError(w, r, oauthError{"too_many_requests", "Too many assistants were registered just now. Try again in " + minutes(wait) + "."})
		return
	}
	registration, refusal := s.readRegistration(w, r)
	if refusal != nil {
		s.metrics.registrations.WithLabelValues("refused").Inc()
		s.log.Info("registration refused", "reason", refusal.Description)
		answerError(w, r, *refusal)
		return
	}
	err = s.store.SaveRegistration(r.Context(), registration)
	if err != nil {
		s.metrics.registrations.WithLabelValues("failed").Inc()
		s.failed(w, r, "registration", err)
		return
	}
	s.metrics.registrations.WithLabelValues("registered").Inc()
	s.log.Info("client registered", "client_id", registration.ID, "client", registration.Key,
		"class", registration.Class, "registered_name", registration.RegisteredName, "redirect_uris", registration.RedirectURIs)
	answerJSON(w, http.StatusCreated, registered{
		ClientID:        registration.ID,
		IssuedAt:        registration.CreatedAt.Unix(),
		Name:            registration.RegisteredName,
		RedirectURIs:    registration.RedirectURIs,
		TokenAuthMethod: "none",
		GrantTypes:      grantTypes(),
		ResponseTypes:   []string{"code"},
		Scope:           scope,
	})
}

func (s *server) readRegistration(w http.ResponseWriter, r *http.Request) (state.Registration, *oauthError) {
	var none state.Registration
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRegistrationBytes))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return none, &oauthError{"invalid_client_metadata", fmt.Sprintf("A registration has %d bytes at most.", maxRegistrationBytes)}
	}
	var asked struct {
		Name         string   `json:"client_name"`
		RedirectURIs []string `json:"redirect_uris"`
	}
	if err == nil {
		err = json.Unmarshal(body, &asked)
	}
	if err != nil {
		return none, &oauthError{"invalid_client_metadata", "The registration isn't a JSON object of client metadata (RFC 7591)."}
	}
	return s.describe(seal.Random(16), asked.Name, asked.RedirectURIs)
}

// describe makes a registration of what a client says of itself, if it may have those redirects.
func (s *server) describe(id, name string, redirects []string) (state.Registration, *oauthError) {
	var none state.Registration
	if len(redirects) == 0 || len(redirects) > maxRedirects {
		return none, &oauthError{"invalid_redirect_uri", fmt.Sprintf("Between 1 and %d redirect URIs are needed.", maxRedirects)}
	}
	for _, redirect := range redirects {
		err := checkRedirect(redirect, s.assistants.PrivateSchemes)
		if err != nil {
			return none, &oauthError{"invalid_redirect_uri", err.Error()}
		}
	}
	is := s.assistants.Identify(name, redirects)
	return state.Registration{
		ID:             id,
		Key:            is.Key,
		Name:           is.Name,
		Class:          is.Class,
		RegisteredName: assistant.CleanName(name),
		RedirectURIs:   redirects,
		CreatedAt:      time.Now().UTC(),
	}, nil
}

// failed answers a client's call that failed for a reason of Sallyport's own, and logs the reason.
func (s *server) failed(w http.ResponseWriter, r *http.Request, what string, err error) {
	s.log.Error(what+" failed", "error", err)
	answerError(w, r, oauthError{"temporarily_unavailable", "Sallyport can't do this now. Try again in a minute."})
}

package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"sallyport/services/identity/document"
	"sallyport/services/internal/state"
)

const (
	// problemLife is how long a document that can't be used isn't asked for again.
	problemLife = time.Minute
	// documentsPause is how long documents aren't offered after a known vendor's couldn't be reached:
	// an assistant that is started again then registers instead.
	documentsPause = 10 * time.Minute
)

// errTold is why a sign-in can't go on, as a sentence for the person.
type errTold struct{ reason string }

func (e errTold) Error() string { return e.reason }

// openDocuments returns what fetches client ID metadata documents, nil where they are turned off.
func (c *Config) openDocuments() (*document.Fetcher, error) {
	if len(c.ClientIDDomains) == 0 || len(c.ClientIDDomains) == 1 && c.ClientIDDomains[0] == "none" {
		return nil, nil
	}
	cfg := document.Config{Domains: c.ClientIDDomains, CAFile: c.ClientIDCAFile, Resolver: c.ClientIDResolver, Proxy: c.ClientIDProxy}
	var problems []error
	for _, text := range c.ClientIDNetworks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("--client-id-networks must be like 10.20.0.0/16, got %q", text))
		}
		cfg.Networks = append(cfg.Networks, network)
	}
	documents, err := document.New(cfg)
	if err != nil {
		problems = append(problems, fmt.Errorf("--client-id-domains and its companions: %w", err))
	}
	return documents, errors.Join(problems...)
}

// registration finds a client by its client_id: one of Sallyport's own, one that registered here, or one
// that is described at the URL that its client_id is. It returns state.ErrNotFound for one that is unknown, and errTold
// for a description that can't be used.
func (s *server) registration(ctx context.Context, id string) (state.Registration, error) {
	if own, ok := s.builtIn(id); ok {
		return own, nil
	}
	if !document.Names(id) {
		return s.store.Registration(ctx, id)
	}
	err := s.takesDocument(id)
	if err != nil {
		return state.Registration{}, err
	}
	known, err := s.store.Described(ctx, id)
	if errors.Is(err, state.ErrNotFound) {
		known, err = s.fetchDescription(ctx, id)
	}
	if err == nil && known.Problem != "" {
		err = errTold{known.Problem}
	}
	return known.Registration, err
}

// takesDocument returns errTold where a client_id can't be that of a document here.
func (s *server) takesDocument(id string) error {
	if s.documents == nil {
		return errTold{"Your assistant describes itself at an address of its own, which is turned off here. Remove the connection in your assistant and add it again, so that it registers."}
	}
	err := s.documents.Allows(id)
	if err != nil {
		return errTold{err.Error()}
	}
	return nil
}

// mayFetch counts a fetch that a browser's request leads to, and returns errTold where there were too
// many: else anybody could make Sallyport send requests to others.
func (s *server) mayFetch(r *http.Request, id string) error {
	err := s.takesDocument(id)
	if err != nil {
		return err
	}
	_, err = s.store.Described(r.Context(), id)
	if !errors.Is(err, state.ErrNotFound) {
		return err
	}
	wait, err := s.store.Allow(r.Context(), s.limit("documents"), source(r))
	if err == nil && wait > 0 {
		err = errTold{"Many assistants that Sallyport doesn't know yet were connected just now. Try again in " + minutes(wait) + "."}
	}
	return err
}

// fetchDescription fetches the document of a client_id, once for all who wait for it on this replica,
// and keeps what comes of it for all replicas.
func (s *server) fetchDescription(ctx context.Context, id string) (state.Described, error) {
	fetched, err, _ := s.fetches.Do(id, func() (any, error) {
		// Others wait for it too, so it outlives the one who began it.
		ctx := context.WithoutCancel(ctx)
		described, fresh := s.readDescription(ctx, id)
		return described, s.store.SaveDescribed(ctx, id, described, fresh)
	})
	described, _ := fetched.(state.Described)
	return described, err
}

func (s *server) readDescription(ctx context.Context, id string) (_ state.Described, fresh time.Duration) {
	found, err := s.documents.Fetch(ctx, id)
	var is state.Registration
	if err == nil {
		is, err = s.described(id, found)
	}
	if err != nil {
		s.metrics.documents.WithLabelValues("refused").Inc()
		s.log.Warn("client ID metadata document refused", "client_id", id, "reason", err)
		s.pauseDocuments(ctx, id, err)
		return state.Described{Problem: err.Error()}, problemLife
	}
	s.metrics.documents.WithLabelValues("fetched").Inc()
	s.log.Info("client ID metadata document fetched", "client_id", id, "client", is.Key, "class", is.Class,
		"registered_name", is.RegisteredName, "redirect_uris", is.RedirectURIs, "fresh", found.Fresh)
	return state.Described{Registration: is}, found.Fresh
}

// describedBy is the host of the document that a client_id names, or empty.
func describedBy(id string) string {
	u, err := document.Check(id)
	if err != nil {
		return ""
	}
	return u.Host
}

// described makes a registration of a document, once its redirects are as registered ones must be.
func (s *server) described(id string, found document.Document) (state.Registration, error) {
	is, refusal := s.describe(id, found.Name, found.RedirectURIs)
	if refusal != nil {
		return is, &document.Problem{Reason: fmt.Sprintf("Your assistant describes itself at %s, and Sallyport can't use that: %s", id, refusal.Description)}
	}
	return is, nil
}

// pauseDocuments stops offering documents for a while where a known vendor's couldn't be reached: then
// it is Sallyport that has no way out. Nobody else's unreachable host can bring that about.
func (s *server) pauseDocuments(ctx context.Context, id string, err error) {
	problem, ok := errors.AsType[*document.Problem](err)
	u, parseErr := url.Parse(id)
	if !ok || !problem.Unreachable || parseErr != nil || !s.assistants.IsVendor(u.Hostname()) {
		return
	}
	s.log.Error("Sallyport can't reach "+u.Host+", so it doesn't offer client ID metadata documents for a while and assistants register instead; "+
		"allow it HTTPS to there, or set --client-id-proxy, or --client-id-domains none", "pause", documentsPause)
	err = s.store.PauseDocuments(ctx, documentsPause)
	if err != nil {
		s.log.Error("client ID metadata documents are still offered", "error", err)
	}
}

// offersDocuments says whether the metadata offers client ID metadata documents.
func (s *server) offersDocuments(ctx context.Context) bool {
	if s.documents == nil {
		return false
	}
	paused, err := s.store.DocumentsPaused(ctx)
	return err == nil && !paused
}

// tokenClient is registration for the token endpoint, which fetches nothing: codes and refresh tokens are
// bound to the client_id, and a vendor's outage must not sign people out.
func (s *server) tokenClient(ctx context.Context, id string) (state.Registration, error) {
	if !document.Names(id) {
		return s.registration(ctx, id)
	}
	if s.takesDocument(id) != nil {
		return state.Registration{}, state.ErrNotFound
	}
	return state.Registration{ID: id, Key: id}, nil
}

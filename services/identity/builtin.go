package identity

import (
	"context"
	"slices"
	"time"

	"sallyport/services/internal/assistant"
	"sallyport/services/internal/state"
)

// Sallyport's own clients. They are part of the program, so nobody can register under their ids: those of
// registrations are random.
const (
	// cliClient is the sallyport command. Any program on a person's machine can say that it is this one, so
	// its consent page is shown every time.
	cliClient = "sallyport-cli"
	// consoleClient is the console. Codes for it only ever go to the console's own address, so there is
	// nothing to consent to.
	consoleClient = "sallyport-console"
)

// consoleLife is how long somebody stays signed in to the console: a working day. There is no refresh token
// that could prolong it.
const consoleLife = 8 * time.Hour

// adminScope is the one scope of tokens for the admin API. What its holder may do there is decided by their
// role, with each request.
const adminScope = "admin"

// registration returns a client by its id: one of Sallyport's own, or a registered one. It returns
// state.ErrNotFound where there is none.
func (s *server) registration(ctx context.Context, id string) (state.Registration, error) {
	if s.console == "" || !isBuiltIn(id) {
		return s.store.Registration(ctx, id)
	}
	if id == consoleClient {
		return builtIn(id, "Sallyport console", assistant.Verified, s.console+"/signin/callback"), nil
	}
	return builtIn(id, "Sallyport command line", assistant.Claimed, "http://127.0.0.1/callback"), nil
}

func isBuiltIn(id string) bool { return id == cliClient || id == consoleClient }

func builtIn(id, name, class, redirect string) state.Registration {
	return state.Registration{ID: id, Key: id, Name: name, RegisteredName: name, Class: class, RedirectURIs: []string{redirect}}
}

// redirectFits says whether a client may have its answer sent to redirect. Only the command line may choose
// a port: the console's is known, also where it is on this machine.
func redirectFits(registration state.Registration, redirect string) bool {
	if registration.ID == consoleClient {
		return slices.Contains(registration.RedirectURIs, redirect)
	}
	return redirectAllowed(redirect, registration.RedirectURIs)
}

// resourceOf is the one resource that a client can have tokens for (RFC 8707): the admin API for
// Sallyport's own clients, the MCP endpoint for all others.
func (s *server) resourceOf(clientID string) string {
	if isBuiltIn(clientID) {
		return s.console
	}
	return s.resource
}

// accessLife is how long the access tokens of a client work.
func accessLife(clientID string) time.Duration {
	if clientID == consoleClient {
		return consoleLife
	}
	return state.AccessLife
}

func scopeOf(clientID string) string {
	if isBuiltIn(clientID) {
		return adminScope
	}
	return scope
}

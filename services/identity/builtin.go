package identity

import (
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

// builtIn returns one of Sallyport's own clients by its id, if it is one and there is something that it
// can have tokens for.
func (s *server) builtIn(id string) (_ state.Registration, ok bool) {
	is := state.Registration{ID: id, Key: id}
	switch {
	case s.console == "":
		return is, false
	case id == consoleClient:
		is.Name, is.Class, is.RedirectURIs = "Sallyport console", assistant.Verified, []string{s.console + "/signin/callback"}
	case id == cliClient:
		is.Name, is.Class, is.RedirectURIs = "Sallyport command line", assistant.Claimed, []string{"http://127.0.0.1/callback"}
	default:
		return is, false
	}
	is.RegisteredName = is.Name
	return is, true
}

func isBuiltIn(id string) bool { return id == cliClient || id == consoleClient }

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

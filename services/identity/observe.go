package identity

import (
	"context"
	"errors"
	"time"

	"sallyport/services/identity/atlassian"
	"sallyport/services/internal/state"
)

const (
	// registerTimeout bounds one attempt to register at Atlassian.
	registerTimeout = 20 * time.Second
	// registerAgain is how long after the first failed attempt another one is made, and registerMost
	// the most that the wait grows to.
	registerAgain = 2 * time.Second
	registerMost  = time.Minute
	// registerRefused is the wait where Atlassian said no, which hardly changes by itself. A sign-in
	// tries at once.
	registerRefused = 15 * time.Minute
	// observeTimeout bounds keeping what was seen, for which a person may be waiting.
	observeTimeout = 2 * time.Second
)

// beRegistered registers at Atlassian without waiting for the first sign-in, so that a refusal is
// known at once, and tries until there is a registration or ctx ends.
func (s *server) beRegistered(ctx context.Context) error {
	for wait := registerAgain; ; wait = min(2*wait, registerMost) {
		err := s.tryToRegister(ctx)
		if err == nil {
			return nil
		}
		if _, refused := errors.AsType[*atlassian.Refusal](err); refused {
			wait = registerRefused
		}
		if ctx.Err() == nil {
			s.log.Warn("not registered at Atlassian", "error", err, "again_in", wait.String())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

func (s *server) tryToRegister(ctx context.Context) error {
	tryCtx, cancel := context.WithTimeout(ctx, registerTimeout)
	defer cancel()
	_, err := s.upstreamClient(tryCtx)
	s.observeRegistration(ctx, err)
	return err
}

// observeRegistration keeps whether there is a registration at Atlassian, unless nobody waited for it.
func (s *server) observeRegistration(ctx context.Context, err error) {
	switch {
	case err == nil:
		s.observe(ctx, state.Registered, nil)
	case ctx.Err() == nil:
		s.observe(ctx, state.RegistrationRefused, err)
	}
}

// observe keeps what was seen of Atlassian, with the reason where it refused. Nothing depends on it
// but what the set-up status says, so that Redis doesn't answer is only logged.
func (s *server) observe(ctx context.Context, what state.Observation, reason error) {
	s.observed(ctx, func(ctx context.Context) error { return s.store.Observe(ctx, s.callback, what, noteOf(reason)) })
}

func (s *server) observed(ctx context.Context, keep func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), observeTimeout)
	defer cancel()
	err := keep(ctx)
	if err != nil {
		s.log.Warn("what was seen of Atlassian is lost to the set-up status", "error", err)
	}
}

// observeSent and observeReturned keep that a person left for Atlassian, and came back.
func (s *server) observeSent(ctx context.Context, stateHash string) {
	s.observed(ctx, func(ctx context.Context) error { return s.store.ObserveSignIn(ctx, s.callback, stateHash) })
}

func (s *server) observeReturned(ctx context.Context, upstreamState string) {
	s.observed(ctx, func(ctx context.Context) error {
		return s.store.ObserveReturn(ctx, s.callback, state.TokenHash(upstreamState))
	})
}

// observeRefusal keeps why a sign-in came to nothing, if Atlassian said so.
func (s *server) observeRefusal(ctx context.Context, err error) {
	problem, _ := atlassian.ProblemOf(err)
	_, refused := errors.AsType[*atlassian.Refusal](err)
	switch {
	case problem == atlassian.ProblemAddress && !refused:
		s.observe(ctx, state.AddressRefused, err)
	case problem == atlassian.ProblemDomain || problem == atlassian.ProblemRequest:
		s.observe(ctx, state.DomainRefused, err)
	case refused:
		s.observe(ctx, state.SignInRefused, err)
	}
}

// observeCall keeps what became of a call of a tool at Atlassian's MCP server.
func (s *server) observeCall(ctx context.Context, err error) {
	problem, _ := atlassian.ProblemOf(err)
	switch {
	case err == nil:
		s.observe(ctx, state.CallAnswered, nil)
	case problem == atlassian.ProblemAddress:
		s.observe(ctx, state.AddressRefused, err)
	}
}

// noteOf is what was said. Rovo's own texts are kept as Sallyport knows them: what comes with a
// sign-in may be written by anybody.
func noteOf(reason error) state.Note {
	if reason == nil {
		return state.Note{}
	}
	note := state.Note{Text: reason.Error()}
	if refusal, ok := errors.AsType[*atlassian.Refusal](reason); ok {
		note = state.Note{Code: refusal.Code, Text: refusal.Description}
	}
	if _, known := atlassian.ProblemOf(reason); known != "" {
		note.Text = known
	}
	return note
}

// problemAnswer tells an assistant, and so its person, why Atlassian let nobody sign in, where that is
// for an admin to put right; ok is false where it isn't.
func (s *server) problemAnswer(err error) (answer oauthError, ok bool) {
	problem, known := atlassian.ProblemOf(err)
	if _, refused := errors.AsType[*atlassian.Refusal](err); refused && problem == atlassian.ProblemAddress {
		// It came back with the browser, so it is the person's own address.
		return oauthError{}, false
	}
	answer = oauthError{Code: "access_denied"}
	said := " (Atlassian says: " + known + ".)"
	switch problem {
	case atlassian.ProblemDomain:
		answer.Description = "Your company's Atlassian doesn't allow Sallyport's address yet. Ask your Atlassian admin to add " +
			s.callback + " to the domains of the Rovo MCP server, and try again." + said
	case atlassian.ProblemRequest:
		answer.Description = "Atlassian ended the sign-in with its general error, as it does where Sallyport's address isn't allowed. Ask your Atlassian admin whether " +
			s.callback + " is among the domains of the Rovo MCP server, and try again." + said
	case atlassian.ProblemAddress:
		answer.Description = "Atlassian doesn't let Sallyport in from its IP address. Ask your Atlassian admin to add it to the IP allowlist, and try again." + said
	case atlassian.ProblemApp:
		answer.Description = "Atlassian's MCP app isn't allowed on this site yet. Ask an admin of the site to sign in through Sallyport once, or to install it, and try again." + said
	case atlassian.ProblemScopes:
		answer.Description = "Sallyport asked Atlassian for scopes that it doesn't give. Ask whoever runs Sallyport to look at its --atlassian-scopes." + said
	case atlassian.NoProblem:
		return oauthError{}, false
	}
	return answer, true
}

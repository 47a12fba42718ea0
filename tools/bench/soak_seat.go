package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"golang.org/x/oauth2"

	"sallyport/tools/signin"
)

// seatsEach is how many assistants each person has during a soak.
const seatsEach = 4

// soakPeople are those who call, all of whom the stand-in knows.
var soakPeople = []string{"ana@acme.test", "bo@acme.test", "cy@acme.test"}

// seat is a person with an assistant, whose connection is ended and made anew now and then.
type seat struct {
	email string

	mu sync.Mutex
	// assistant is what the present connection's is called, which no other is.
	assistant string
	tokens    oauth2.TokenSource
}

// token is the seat's present access token, empty where there is none to be had.
func (s *seat) token() string {
	s.mu.Lock()
	tokens := s.tokens
	s.mu.Unlock()
	token, err := tokens.Token()
	if err != nil {
		return "" // the call is refused, and counted
	}
	return token.AccessToken
}

// sit signs the seat in with a new assistant.
func (s *seat) sit(ctx context.Context, mcpURL, assistant string) error {
	tokens, err := signin.In(ctx, mcpURL, assistant, s.email)
	if err != nil {
		return fmt.Errorf("signing %s in: %w", s.email, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assistant, s.tokens = assistant, tokens
	return nil
}

// sit signs everybody in.
func (s *soaking) sit(ctx context.Context) error {
	for n := range seatsEach * len(soakPeople) {
		one := &seat{email: soakPeople[n%len(soakPeople)]}
		err := one.sit(ctx, s.site.MCPURL, fmt.Sprint("Soak seat ", n))
		if err != nil {
			return err
		}
		s.seats = append(s.seats, one)
	}
	return nil
}

// call has all seats call in turn, at the rate, until ctx ends.
func (s *soaking) call(ctx context.Context) {
	attacker := vegeta.NewAttacker(vegeta.MaxWorkers(10_000), vegeta.Connections(s.Many), vegeta.Timeout(callTimeout), vegeta.HTTP2(false))
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	c := callOf(s.site.MCPURL, s.host, "", soakSize, false)
	var turn atomic.Uint64
	target := func(t *vegeta.Target) error {
		one := c
		one.token = s.seats[turn.Add(1)%uint64(len(s.seats))].token()
		t.Method, t.URL, t.Body, t.Header = http.MethodPost, one.url, one.body, one.header()
		return nil
	}
	for result := range attacker.Attack(target, vegeta.Rate{Freq: s.Rate, Per: time.Second}, 0, "") {
		s.answered(result)
	}
}

// answered counts an answer.
func (s *soaking) answered(result *vegeta.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if result.Code != http.StatusOK {
		reason := result.Error
		if result.Code != 0 {
			reason = fmt.Sprintf("%d %.200s", result.Code, result.Body)
		}
		s.Failed[reason]++
		return
	}
	s.Calls++
	s.took = append(s.took, result.Latency)
}

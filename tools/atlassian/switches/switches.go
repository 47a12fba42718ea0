// Package switches holds what can be made to go wrong, or differently, in the stand-in while it runs,
// and the HTTP interface by which tests and people do so.
package switches

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
)

// Fail makes the MCP endpoints answer with an HTTP status.
type Fail struct {
	// Status is 400 to 599; 0 is off.
	Status int `json:"status"`
	// Calls is how many answers fail; 0 means all until it is switched off.
	Calls int `json:"calls"`
}

// RegistrationError is how registrations are refused (RFC 7591 section 3.2.2).
type RegistrationError struct {
	// Error is the code; empty is off.
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// Values are all switches.
type Values struct {
	Slow              int               `json:"slow"`
	Fail              Fail              `json:"fail"`
	Answers           string            `json:"answers"`
	Stateless         bool              `json:"stateless"`
	LoseGroups        int               `json:"lose_groups"`
	Domains           []string          `json:"domains"`
	DomainError       string            `json:"domain_error"`
	RegistrationError RegistrationError `json:"registration_error"`
	Address           string            `json:"address"`
	IssuerWithoutPath bool              `json:"issuer_without_path"`
	Iss               bool              `json:"iss"`
	TokenSeconds      int               `json:"token_seconds"`
	LoseRefresh       int               `json:"lose_refresh"`
}

// Defaults are the values at the start and after a reset.
func Defaults() Values {
	return Values{
		Answers: "sse", Stateless: true, DomainError: "consent", Address: "allowed", Iss: true, TokenSeconds: 3600,
		Domains: []string{"http://localhost:*/**", "http://127.0.0.1:*/**"},
	}
}

// meanings say what each switch does, in the order in which they are listed.
var meanings = []struct{ name, meaning string }{
	{"slow", "Milliseconds to wait before each MCP answer."},
	{"fail", `{"status":503,"calls":3} lets the next three MCP requests be answered with that HTTP status; calls 0 means all, status 0 none.`},
	{"answers", `"sse" or "json": how MCP answers come. Sessions of the older protocol keep the form they began with.`},
	{"stateless", "Whether MCP 2026-07-28 is spoken. If not, its requests are told to use an older version."},
	{"lose_groups", "HTTP status with which Jira's group endpoints answer: 503, 429 with Retry-After, or 401 as for a credential that has expired; 0 lets them work."},
	{"domains", "Redirect addresses that the Rovo administrator allows: exact, or patterns such as https://*.example.com/**."},
	{"domain_error", `"consent": a redirect address that isn't allowed is refused on the consent page; "accept": only after Accept, on the generic error page; "return": after Accept the client is told.`},
	{"registration_error", `{"error":"invalid_redirect_uri","error_description":"..."} refuses registrations with that; an empty error lets them work.`},
	{"address", `"status": MCP requests are refused with 403 as from an address that no IP allowlist has; "tool": only calls of tools, with a result that is an error; "allowed": not.`},
	{"issuer_without_path", "Authorization server metadata names the issuer without its path, as Atlassian did until August 2026."},
	{"iss", "Whether the redirect back to the client carries iss (RFC 9207), and the metadata says so."},
	{"token_seconds", "Lifetime of access tokens given from now on."},
	{"lose_refresh", "How many answers to refreshes are lost on their way: the refresh token is used up, and the connection breaks."},
}

func (v Values) check() error {
	switch {
	case v.Slow < 0:
		return fmt.Errorf("slow is milliseconds, 0 or more")
	case v.Fail.Status != 0 && (v.Fail.Status < 400 || v.Fail.Status > 599), v.Fail.Calls < 0:
		return fmt.Errorf("fail needs a status from 400 to 599 (or 0 for none) and calls of 0 or more")
	case !slices.Contains([]string{"sse", "json"}, v.Answers):
		return fmt.Errorf(`answers is "sse" or "json"`)
	case !slices.Contains([]int{0, http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable}, v.LoseGroups):
		return fmt.Errorf("lose_groups is 0, 401, 429 or 503")
	case !slices.Contains([]string{"consent", "accept", "return"}, v.DomainError):
		return fmt.Errorf(`domain_error is "consent", "accept" or "return"`)
	case !slices.Contains([]string{"allowed", "status", "tool"}, v.Address):
		return fmt.Errorf(`address is "allowed", "status" or "tool"`)
	case v.TokenSeconds < 1:
		return fmt.Errorf("token_seconds is 1 or more")
	case v.LoseRefresh < 0:
		return fmt.Errorf("lose_refresh is 0 or more")
	}
	return nil
}

// Switches are the current values. The zero value isn't ready, use New.
type Switches struct {
	mu     sync.Mutex
	values Values
}

// New returns the switches at their defaults.
func New() *Switches { return &Switches{values: Defaults()} }

// Values returns the current values.
func (s *Switches) Values() Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.values
	v.Domains = slices.Clone(v.Domains)
	return v
}

// TakeFailure returns the status with which this MCP request must fail, or 0, and counts it.
func (s *Switches) TakeFailure() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.values.Fail.Status
	if s.values.Fail.Calls > 0 {
		s.values.Fail.Calls--
		if s.values.Fail.Calls == 0 {
			s.values.Fail.Status = 0
		}
	}
	return status
}

// TakeLostRefresh says whether the answer to this refresh is lost, and counts it.
func (s *Switches) TakeLostRefresh() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	lost := s.values.LoseRefresh > 0
	if lost {
		s.values.LoseRefresh--
	}
	return lost
}

// change edits the values; a refused edit leaves them as they were.
func (s *Switches) change(edit func(*Values) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	edited := s.values
	if err := edit(&edited); err != nil {
		return err
	}
	if err := edited.check(); err != nil {
		return err
	}
	s.values = edited
	return nil
}

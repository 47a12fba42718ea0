package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

// TestSignInInABrowser signs in with Chromium: its rules for cookies, redirects and content security
// are those that people's browsers have.
func TestSignInInABrowser(t *testing.T) {
	applyPolicy(t, blockDeletes)
	browser := nodeProgram("browser", "browser.mjs")
	folder := install(t, browser)
	who := newPerson("cy@acme.test")
	var seen struct {
		Pages []string
		Back  string
	}
	signIn := func(ctx context.Context, authorizationURL, clientRedirect string) (*url.URL, error) {
		command := exec.CommandContext(ctx, browser.run[0], browser.run[1], authorizationURL, clientRedirect, who.email)
		command.Dir = folder
		var complaints strings.Builder
		command.Stderr = &complaints
		out, err := command.Output()
		if err != nil {
			return nil, fmt.Errorf("the browser: %w: %s", err, &complaints)
		}
		err = json.Unmarshal(out, &seen)
		if err != nil {
			return nil, fmt.Errorf("the browser said %s: %w", out, err)
		}
		return url.Parse(seen.Back)
	}
	claude := connectWith(t, who, signIn, "Claude Code (browser)")
	if len(seen.Pages) != 3 {
		t.Fatalf("signing in took %d pages, want Sallyport's consent, and Atlassian's login and consent: %q", len(seen.Pages), seen.Pages)
	}
	for _, words := range []string{"Connect Claude Code to Atlassian?", "Not verified", redirectURI[:len("http://127.0.0.1:33418")], "Only what your company’s rules allow"} {
		if !strings.Contains(seen.Pages[0], words) {
			t.Errorf("the consent page doesn't say %q:\n%s", words, seen.Pages[0])
		}
	}
	text, isError := claude.call(t, "searchJiraIssuesUsingJql", map[string]any{"cloudId": "acme.atlassian.net", "jql": "project = WEB"})
	if isError || !strings.Contains(text, "WEB-") {
		t.Errorf("searching gave %v %s", isError, text)
	}
}

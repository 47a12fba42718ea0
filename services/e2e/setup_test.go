package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// setupItem is an item of the set-up as `sallyport status --json` has it.
type setupItem struct {
	Name, State, Word, Detail string
	CheckedAt                 *string `json:"checked_at"`
}

func setupItems(t *testing.T) map[string]setupItem {
	t.Helper()
	var status struct{ Setup []setupItem }
	err := json.Unmarshal([]byte(cli(t, "status", "--json")), &status)
	if err != nil {
		t.Fatal(err)
	}
	items := map[string]setupItem{}
	for _, item := range status.Setup {
		items[item.Name] = item
	}
	return items
}

// TestSetupStatus changes what Atlassian allows, and shows what an admin is told after the next sign-in.
func TestSetupStatus(t *testing.T) {
	t.Cleanup(func() {
		err := switchAtlassian(http.MethodPost, "/reset", "")
		if err != nil {
			t.Error(err)
		}
	})
	change := func(switches string) {
		t.Helper()
		err := switchAtlassian(http.MethodPatch, "/", switches)
		if err != nil {
			t.Fatal(err)
		}
	}
	expect := func(when string, want map[string]setupItem) {
		t.Helper()
		items := setupItems(t)
		text := strings.Join(strings.Fields(cli(t, "status")), " ")
		for name, item := range want {
			got := items[name]
			if got.State != item.State || got.Word != item.Word || !strings.Contains(got.Detail, item.Detail) {
				t.Errorf("%s %s is %s (%s): %s\nwant %s (%s): %s", when, name, got.State, got.Word, got.Detail, item.State, item.Word, item.Detail)
			}
			if line := strings.TrimSpace(name + " " + got.Word + " " + got.Detail); !strings.Contains(text, line) {
				t.Errorf("%s the text has no %q:\n%s", when, line, text)
			}
		}
	}
	const redirect = "http://127.0.0.1:3119/callback"

	signIn(t, "bo@acme.test", "Codex", redirect)
	expect("after a sign-in", map[string]setupItem{
		"public_url":   {State: "action_needed", Word: "Needs setup", Detail: "Sallyport has no public URL yet"},
		"rovo_domain":  {State: "done", Word: "Allowed", Detail: "A sign-in came back on "},
		"native_door":  {State: "action_needed", Word: "Action needed", Detail: `turn off "Allow Atlassian supported domains" in Atlassian Administration`},
		"api_tokens":   {State: "unknown", Word: "Unknown", Detail: "Turn API tokens off in Atlassian Administration"},
		"ip_allowlist": {State: "done", Word: "Allowed"},
		"sites":        {State: "action_needed", Word: "Action needed", Detail: "Start identity with --sites (SALLYPORT_SITES)"},
		"groups":       {State: "done", Word: "Done"},
	})
	if at := setupItems(t)["rovo_domain"].CheckedAt; at == nil {
		t.Error("the JSON doesn't say when the domain was seen to be allowed")
	}

	change(`{"domains": [], "domain_error": "return"}`)
	_, told := authorize(t, "bo@acme.test", "Codex", redirect)
	if told.Get("error") != "access_denied" || !strings.Contains(told.Get("error_description"), "add "+sallyport.CallbackURL+" to the domains") {
		t.Errorf("the assistant is told %v", told)
	}
	expect("while the domain is refused", map[string]setupItem{
		"rovo_domain": {State: "action_needed", Word: "Action needed", Detail: `came back with "Your organization admin must authorize access from this redirect URL" (access_denied). In Atlassian Administration (https://admin.atlassian.com) > Rovo > Rovo MCP server > Domains, add ` + sallyport.CallbackURL},
	})

	change(`{"domains": ["http://localhost:*/**"], "address": "tool"}`)
	signIn(t, "bo@acme.test", "Codex", redirect)
	expect("while the address is refused", map[string]setupItem{
		"rovo_domain":  {State: "done", Word: "Allowed", Detail: "A sign-in came back on "},
		"ip_allowlist": {State: "action_needed", Word: "Action needed", Detail: `"You don't have permission to connect from this IP address". In Atlassian Administration > Security > IP allowlists, add`},
	})

	change(`{"address": "allowed"}`)
	signIn(t, "bo@acme.test", "Codex", redirect)
	expect("in the end", map[string]setupItem{"ip_allowlist": {State: "done", Word: "Allowed"}})
}

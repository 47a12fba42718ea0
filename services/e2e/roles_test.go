package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tokenFile makes an API token, and returns a file with it and the token.
func tokenFile(t *testing.T, name, role string) (string, string) {
	t.Helper()
	var made struct{ Token string }
	err := json.Unmarshal([]byte(cli(t, "tokens", "create", name, "--role", role, "--expires", "1h", "--json")), &made)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = try(t, "tokens", "revoke", name) })
	file := filepath.Join(t.TempDir(), name)
	err = os.WriteFile(file, []byte(made.Token+"\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return file, made.Token
}

// TestRolesOfTokens is what a viewer in CI may, and what is written down of it.
func TestRolesOfTokens(t *testing.T) {
	applyPolicy(t, blockDeletes)
	file, token := tokenFile(t, "ci-check", "viewer")
	draft := policyFile(t, blockDeletes+"  - {operation: \"jira create*\", effect: deny, note: Nothing new}\n")
	expect(t, 0, []string{"ci-check", "viewer", "live"}, "tokens", "list")
	expect(t, 0, []string{"Nothing was saved"}, "policy", "apply", "--dry-run", draft, "--token-file", file)
	expect(t, 1, []string{"SavePolicy needs the role admin, and ci-check (an API token) has the role viewer."}, "policy", "apply", draft, "--token-file", file)
	// The first record of a day makes an index, which can't be searched for a moment.
	eventually(t, time.Minute, func() error {
		out, code := try(t, "log", "--token-file", file)
		if code != 0 || !strings.Contains(out, "Arguments are withheld, and weren't searched") {
			return fmt.Errorf("a viewer's log exits with %d:\n%s", code, out)
		}
		return nil
	})
	asJSON(t, token)
	expect(t, 0, []string{"ci-check is revoked"}, "tokens", "revoke", "ci-check")
	expect(t, 3, []string{"The API token ci-check was revoked at"}, "status", "--token-file", file)
	expect(t, 1, []string{"There is no live token"}, "tokens", "revoke", "ci-check")
	expect(t, 2, []string{"are of what assistants did"}, "log", "--administrative", "--client", "claude")
	eventually(t, time.Minute, func() error {
		out, _ := try(t, "log", "--administrative", "--since", "5m")
		for _, words := range []string{"API token viewer policy.save refused: PermissionDenied", "token file admin token.create done ci-check", "token file admin token.revoke done ci-check"} {
			if !hasLine(out, words) {
				return fmt.Errorf("no line with %q in\n%s", words, out)
			}
		}
		return nil
	})
	if strings.Contains(cli(t, "log", "--limit", "1000"), "policy.save") {
		t.Error("an act is among what assistants did")
	}
}

func hasLine(text, words string) bool {
	for line := range strings.Lines(text) {
		if strings.Contains(strings.Join(strings.Fields(line), " "), words) {
			return true
		}
	}
	return false
}

// asJSON reads the log through Envoy as JSON, which reads the options of methods with everything else.
func asJSON(t *testing.T, token string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sallyport.AdminHTTP+"/sallyport.admin.v1.ActivityService/SearchActivity", strings.NewReader(`{"pageSize":1}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(text), `"argumentsWithheld":true`) {
		t.Errorf("JSON: %d %s %v", response.StatusCode, text, err)
	}
}

// TestRolesOfGroups binds a group of the site by its name.
func TestRolesOfGroups(t *testing.T) {
	forgetRoles(t)
	expect(t, 1, []string{`the site has no group "nobodies"`}, "roles", "add", "viewer", "group:nobodies")
	expect(t, 0, []string{"admin", "group:", "site-admins", "Saved as version"}, "roles", "add", "admin", "group:site-admins", "--message", "They run the site")
	expect(t, 0, []string{"user:ana@acme.test"}, "roles", "add", "auditor", "ana@acme.test")
	before := cli(t, "roles", "get", "--json")
	file := policyFile(t, before)
	expect(t, 0, []string{"Saved as version"}, "roles", "set", file)
	expect(t, 1, []string{"of the roles holds, and this change started from version"}, "roles", "set", file)
	expect(t, 1, []string{"ana@acme.test has no such role"}, "roles", "remove", "ana@acme.test", "--role", "viewer")
	expect(t, 0, []string{"Saved as version"}, "roles", "remove", "ana@acme.test")
	expect(t, 1, []string{"Nobody would be admin any more"}, "roles", "remove", "group:site-admins")
	out := expect(t, 0, []string{"site-admins"}, "roles", "get")
	if strings.Contains(out, "ana@acme.test") {
		t.Errorf("ana still has a role:\n%s", out)
	}
}

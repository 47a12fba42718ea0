package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// own is the sallyport command of a person, with a home of its own and no token file.
type own struct {
	t    *testing.T
	home string
}

func (o own) command(arguments ...string) *exec.Cmd {
	command := cliCommand(arguments...)
	command.Env = slices.DeleteFunc(command.Env, func(v string) bool { return strings.HasPrefix(v, "SALLYPORT_TOKEN_FILE=") })
	command.Env = append(command.Env, "XDG_CONFIG_HOME="+o.home)
	// Else it would find the token of a Sallyport that runs where it is.
	command.Dir = o.home
	return command
}

// expect runs the command, and returns what it says.
func (o own) expect(code int, words string, arguments ...string) string {
	o.t.Helper()
	command := o.command(arguments...)
	out, _ := command.CombinedOutput()
	if command.ProcessState.ExitCode() != code || !strings.Contains(string(out), words) {
		o.t.Errorf("%v exits with %d, want %d and %q:\n%s", arguments, command.ProcessState.ExitCode(), code, words, out)
	}
	return string(out)
}

// login runs `sallyport login` while a person goes through its pages, and returns what it says at the end.
func (o own) login(who *person) string {
	o.t.Helper()
	command := o.command("login", "--no-browser")
	var out bytes.Buffer
	command.Stdout = &out
	words, err := command.StderrPipe()
	if err != nil {
		o.t.Fatal(err)
	}
	err = command.Start()
	if err != nil {
		o.t.Fatal(err)
	}
	for lines := bufio.NewScanner(words); lines.Scan(); {
		page, found := strings.CutPrefix(lines.Text(), "  http")
		if !found {
			continue
		}
		asked, err := url.Parse("http" + page)
		if err != nil {
			o.t.Fatal(err)
		}
		back, err := who.signIn(o.t.Context(), asked.String(), asked.Query().Get("redirect_uri"))
		if err != nil {
			o.t.Error(err)
			_ = command.Process.Kill()
			break
		}
		stranger := *back
		stranger.RawQuery = "code=x&state=of-somebody-else"
		if status, _ := who.open(o.t, stranger.String()); status != http.StatusBadRequest {
			o.t.Errorf("the command takes an answer with another state: %d", status)
		}
		who.open(o.t, back.String())
	}
	err = command.Wait()
	if err != nil {
		o.t.Fatalf("sallyport login: %v\n%s", err, &out)
	}
	access, refresh := o.tokens()
	witness.Add("token of sallyport login", access, refresh)
	return out.String()
}

// tokens are those that the command has.
func (o own) tokens() (access, refresh string) {
	o.t.Helper()
	files, err := filepath.Glob(filepath.Join(o.home, "sallyport", "*.json"))
	if err != nil || len(files) != 1 {
		o.t.Fatalf("the logins are %q, %v", files, err)
	}
	kept, err := os.ReadFile(files[0])
	if err != nil {
		o.t.Fatal(err)
	}
	var login struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	err = json.Unmarshal(kept, &login)
	if err != nil {
		o.t.Fatal(err)
	}
	return login.Access, login.Refresh
}

// open opens a page without following where it leads.
func (p *person) open(t *testing.T, address string) (int, string) {
	t.Helper()
	return p.send(t, http.MethodGet, address, "", nil)
}

func (p *person) send(t *testing.T, method, address, body string, headers map[string]string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := p.browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// console signs a person in to the console from a page of it.
func (p *person) console(t *testing.T, page string) (int, string) {
	t.Helper()
	back, err := p.signIn(t.Context(), page, sallyport.AdminHTTP+"/signin/callback")
	if err != nil {
		t.Fatal(err)
	}
	return p.open(t, back.String())
}

// ask calls the admin API as the console's page does.
func (p *person) ask(t *testing.T, method, body, site string) (int, string) {
	t.Helper()
	return p.send(t, http.MethodPost, sallyport.AdminHTTP+"/sallyport.admin.v1."+method, body,
		map[string]string{"Content-Type": "application/json", "Sec-Fetch-Site": site, "Origin": sallyport.AdminHTTP})
}

// forgetRoles takes Sallyport back to where nobody has a role.
func forgetRoles(t *testing.T) {
	t.Helper()
	err := openRedis(t).Del(t.Context(), "{sallyport}:roles").Err()
	if err != nil {
		t.Fatal(err)
	}
}

func firstLink(t *testing.T) string {
	t.Helper()
	forgetRoles(t)
	var made struct{ URL string }
	err := json.Unmarshal([]byte(cli(t, "first-link", "--json")), &made)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(made.URL)
	if err != nil || made.URL != sallyport.AdminHTTP+at.Path {
		t.Fatalf("the link is %q", made.URL)
	}
	witness.Add("first link", filepath.Base(at.Path))
	return made.URL
}

// TestFirstAdmin is how somebody becomes admin, by the link that is printed at the first start, and
// administers as themselves.
func TestFirstAdmin(t *testing.T) {
	printed, err := os.ReadFile(filepath.Join(runDir, "secrets", "first.link"))
	if err != nil || !strings.HasPrefix(string(printed), sallyport.AdminHTTP+"/first/") {
		t.Errorf("at the first start there was the link %q, %v", printed, err)
	}
	link, bo, cy := firstLink(t), newPerson("bo@acme.test"), newPerson("cy@acme.test")
	// Opening it, as a chat's preview does, uses nothing up.
	if status, page := cy.open(t, link); status != http.StatusOK || !strings.Contains(page, "Become Sallyport") {
		t.Fatalf("the link shows %d %s", status, page)
	}
	if status, page := bo.console(t, link); status != http.StatusSeeOther {
		t.Fatalf("becoming admin ends with %d %s", status, page)
	}
	if status, page := bo.open(t, sallyport.AdminHTTP+"/"); status != http.StatusOK || !strings.Contains(page, `<div id="root">`) {
		t.Errorf("the console's page is %d %s", status, page)
	}
	if status, answer := bo.ask(t, "SessionService/GetSession", "{}", "same-origin"); status != http.StatusOK || !strings.Contains(answer, "ROLE_ADMIN") || !strings.Contains(answer, "bo@acme.test") {
		t.Errorf("the console's page is told %d %s", status, answer)
	}
	if status, answer := bo.ask(t, "SessionService/GetSession", "{}", "cross-site"); status != http.StatusUnauthorized {
		t.Errorf("another site's page is told %d %s", status, answer)
	}
	if status, page := cy.open(t, link); status != http.StatusGone || !strings.Contains(page, "roles add") {
		t.Errorf("the used link shows %d %s", status, page)
	}
	expect(t, 3, []string{"Roles were given already"}, "first-link")
	eventually(t, time.Minute, func() error {
		out, _ := try(t, "log", "--administrative", "--since", "5m")
		for _, words := range []string{"first_link.create done", "session.begin done", "first_link.use done"} {
			if !hasLine(out, words) {
				return fmt.Errorf("no line with %q in\n%s", words, out)
			}
		}
		return nil
	})
	if status, _ := bo.send(t, http.MethodPost, sallyport.AdminHTTP+"/signout", "", map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}); status != http.StatusBadRequest {
		t.Errorf("another site signs out with %d", status)
	}
	bo.send(t, http.MethodPost, sallyport.AdminHTTP+"/signout", "", map[string]string{"Origin": sallyport.AdminHTTP})
	if status, answer := bo.ask(t, "SessionService/GetSession", "{}", "same-origin"); status != http.StatusUnauthorized {
		t.Errorf("after signing out the page is told %d %s", status, answer)
	}
}

// TestAdministeringAsOneself signs in on the command line, and looks at what is written down of it.
func TestAdministeringAsOneself(t *testing.T) {
	link, bo := firstLink(t), newPerson("bo@acme.test")
	bo.console(t, link)
	terminal := own{t, t.TempDir()}
	terminal.expect(3, "sallyport login", "whoami")
	if says := terminal.login(newPerson("bo@acme.test")); !strings.Contains(says, "bo@acme.test), who has the role admin.") {
		t.Errorf("login says %s", says)
	}
	changed := fmt.Sprintf("%s  - {operation: \"jira create*\", effect: deny, note: as oneself %d}\n", blockDeletes, time.Now().UnixNano())
	terminal.expect(0, "is in force", "policy", "apply", policyFile(t, changed), "--message", "as oneself")
	terminal.expect(0, "bo@acme.test", "policy", "history")
	eventually(t, time.Minute, func() error {
		out, _ := try(t, "log", "--administrative", "--since", "5m", "--user", "bo@acme.test")
		if !hasLine(out, "policy.save done") {
			return fmt.Errorf("no save by bo in\n%s", out)
		}
		return nil
	})

	// Neither kind of token works in the other's place.
	claude := signIn(t, "bo@acme.test", "Claude Code", "http://localhost:3118/callback").access
	access, _ := terminal.tokens()
	status, _, _ := ask(t, access, "POST", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, nil)
	if status != http.StatusUnauthorized {
		t.Errorf("the command's token at the MCP endpoint gives %d", status)
	}
	status, answer := newPerson("").send(t, http.MethodPost, sallyport.AdminHTTP+"/sallyport.admin.v1.SessionService/GetSession", "{}",
		map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + claude})
	if status != http.StatusUnauthorized {
		t.Errorf("an assistant's token at the admin API gives %d %s", status, answer)
	}

	// A viewer may look, also in the console, and no more; without a role one may only ask who one is.
	cy := newPerson("cy@acme.test")
	cy.console(t, sallyport.AdminHTTP+"/signin")
	if status, answer := cy.ask(t, "PolicyService/GetPolicy", "{}", "same-origin"); status != http.StatusForbidden || !strings.Contains(answer, "no role") {
		t.Errorf("without a role the policy is answered with %d %s", status, answer)
	}
	terminal.expect(0, "Saved as version", "roles", "add", "viewer", "cy@acme.test")
	if status, answer := cy.ask(t, "PolicyService/GetPolicy", "{}", "same-origin"); status != http.StatusOK {
		t.Errorf("a viewer asks for the policy: %d %s", status, answer)
	}
	if status, answer := cy.ask(t, "PolicyService/SavePolicy", "{}", "same-origin"); status != http.StatusForbidden || !strings.Contains(answer, "needs the role admin") {
		t.Errorf("a viewer saves a policy: %d %s", status, answer)
	}

	terminal.expect(0, "Signed out", "logout")
	terminal.expect(3, "sallyport login", "whoami")
	terminal.login(newPerson("bo@acme.test"))
	cli(t, "people", "forget", "bo@acme.test")
	terminal.expect(3, "sallyport login", "whoami")
}

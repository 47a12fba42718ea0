package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// loginTimeout is how long a sign-in may take. Sallyport forgets one that was begun ten minutes ago.
const loginTimeout = 10 * time.Minute

type loginCommand struct {
	NoBrowser bool   `help:"Only show the address, and open no browser."`
	Port      uint16 `help:"Port of this machine that the browser comes back to; a free one where it isn't said." placeholder:"PORT"`
}

// Help is the examples of --help.
func (loginCommand) Help() string {
	return `You sign in at Atlassian, in your browser; Sallyport learns who you are, and nothing else there. From then on the commands of this user on this machine act in your name, with the role that you have. The login is kept in a file that only you can read. It ends by ` + "`sallyport logout`" + `, or when it wasn't used for 7 days.

On a machine without a browser, choose a port and forward it from where your browser is:

  ssh -L 8899:127.0.0.1:8899 build.example.com
  sallyport login --no-browser --port 8899

Examples:

  sallyport login
  sallyport login --server https://sallyport-admin.example.com`
}

// Run signs in, and says as whom.
func (c *loginCommand) Run(ctx context.Context, at *connection, t *terminal) error {
	server, origin, path, err := at.loginPlace()
	if err != nil {
		return err
	}
	where, err := discover(ctx, origin)
	if err != nil {
		return err
	}
	signed, err := c.signIn(ctx, origin, where)
	if err != nil {
		return err
	}
	before, errBefore := readLogin(path)
	err = signed.write(path)
	if err != nil {
		return advice("The login can't be kept: %w.", err)
	}
	if errBefore == nil {
		// It is replaced, whether or not Sallyport hears that it ended; it would end by itself.
		_ = before.revoke(ctx)
	}
	conn, err := dial(server, fromLogin(path))
	if err != nil {
		return err
	}
	defer conn.Close()
	who, err := adminv1.NewSessionServiceClient(conn).GetSession(ctx, &adminv1.GetSessionRequest{})
	if err != nil {
		return err
	}
	t.printf("Signed in at %s. %s\n", origin, capital(whoWords(who)))
	return nil
}

// loginPlace returns the server, its origin, and the file that a login to it is kept in.
func (c *connection) loginPlace() (server, origin, path string, _ error) {
	server, err := c.locateServer()
	if err != nil {
		return "", "", "", err
	}
	origin, err = originOf(server)
	if err != nil {
		return "", "", "", err
	}
	path, err = loginPath(origin)
	return server, origin, path, err
}

// signIn is the authorization code flow with PKCE (RFC 8252, RFC 7636).
func (c *loginCommand) signIn(ctx context.Context, origin string, where authorizationServer) (login, error) {
	state, verifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	back, err := listen(c.Port, state, where.Issuer)
	if err != nil {
		return login{}, err
	}
	config := oauth2.Config{
		ClientID: cliClient, RedirectURL: back.redirect(),
		Endpoint: oauth2.Endpoint{AuthURL: where.AuthorizationEndpoint, TokenURL: where.TokenEndpoint, AuthStyle: oauth2.AuthStyleInParams},
	}
	resource := oauth2.SetAuthURLParam("resource", origin)
	page := config.AuthCodeURL(state, resource, oauth2.S256ChallengeOption(verifier))
	if c.NoBrowser || !openBrowser(ctx, page) {
		fmt.Fprintf(os.Stderr, "Sign in with your browser at\n\n  %s\n\n", page)
	} else {
		fmt.Fprintf(os.Stderr, "Sign in with the browser that opens. If none does, open\n\n  %s\n\n", page)
	}
	fmt.Fprintln(os.Stderr, "Waiting for you to come back; Ctrl-C stops.")
	waiting, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	code, err := back.wait(waiting)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return login{}, answeredNo("Nobody came back within %v. Run `sallyport login` again.", loginTimeout)
	case errors.Is(err, errAnswer):
		return login{}, answeredNo("You are not signed in: %v.", err)
	case err != nil:
		return login{}, err
	}
	exchanging, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	token, err := config.Exchange(withClient(exchanging), code, resource, oauth2.VerifierOption(verifier))
	if err != nil {
		return login{}, advice("The sign-in came to nothing at %s: %s. Run `sallyport login` again.", where.TokenEndpoint, withoutBody(err))
	}
	signed := login{Server: origin, TokenEndpoint: where.TokenEndpoint, RevocationEndpoint: where.RevocationEndpoint}
	signed.accept(token)
	return signed, nil
}

type logoutCommand struct{}

// Help is the examples of --help.
func (logoutCommand) Help() string {
	return `Ends the login at Sallyport and removes its file. Commands then act by the token of the Sallyport that runs in this folder, if there is one.

Examples:

  sallyport logout
  sallyport logout --server https://sallyport-admin.example.com`
}

// Run ends the login. Its file goes also where Sallyport doesn't hear of it.
func (logoutCommand) Run(ctx context.Context, at *connection, t *terminal) error {
	_, origin, path, err := at.loginPlace()
	if err != nil {
		return err
	}
	l, err := readLogin(path)
	if errors.Is(err, fs.ErrNotExist) {
		return answeredNo("You aren't signed in at %s.", origin)
	}
	if err != nil {
		return err
	}
	err = os.Remove(path)
	if err != nil {
		return advice("The login can't be removed: %w.", err)
	}
	err = l.revoke(ctx)
	if err != nil {
		return advice("The login is removed here, but Sallyport didn't confirm that it has ended: %w. It ends there by itself within 7 days.", err)
	}
	t.printf("Signed out of %s.\n", origin)
	return nil
}

// revoke has Sallyport end the login (RFC 7009).
func (l login) revoke(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	form := url.Values{"token": {l.RefreshToken}, "token_type_hint": {"refresh_token"}, "client_id": {cliClient}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.RevocationEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := noRedirects.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", l.RevocationEndpoint, response.Status)
	}
	return nil
}

type whoamiCommand struct {
	JSON bool `help:"Answer with one JSON object: name, caller, role, account_id, display_name." name:"json"`
}

// Help is the examples of --help.
func (whoamiCommand) Help() string {
	return `Examples:

  sallyport whoami
  sallyport whoami --json | jq -r .role`
}

// Run says who the commands act as, and what they may do.
func (c *whoamiCommand) Run(ctx context.Context, at *connection, t *terminal) error {
	conn, err := at.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	who, err := adminv1.NewSessionServiceClient(conn).GetSession(ctx, &adminv1.GetSessionRequest{})
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(t.out, struct {
			Name        string `json:"name"`
			Caller      string `json:"caller"`
			Role        string `json:"role,omitempty"`
			AccountID   string `json:"account_id,omitempty"`
			DisplayName string `json:"display_name,omitempty"`
		}{who.GetName(), who.GetCaller(), roleWord(who.GetRole()), who.GetAccountId(), who.GetDisplayName()})
	}
	t.printf("%s\n", capital(whoWords(who)))
	return nil
}

// whoWords is the caller as a sentence.
func whoWords(who *adminv1.GetSessionResponse) string {
	kinds := map[string]string{ //nolint:gosec // words, no credentials
		"token_file": "a token of the token file, ", "api_token": "an API token, ", "person": "",
	}
	name := printable(who.GetName())
	if who.GetDisplayName() != "" {
		name = printable(who.GetDisplayName()) + " (" + name + ")"
	}
	role := "has the role " + roleWord(who.GetRole()) + "."
	if who.GetRole() == adminv1.Role_ROLE_UNSPECIFIED {
		role = "has no role, and may do nothing yet: have an admin give one by `sallyport roles add`."
	}
	return "you act as " + name + ", " + kinds[who.GetCaller()] + "who " + role
}

package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

const (
	// loginClient is the command line's client id at Sallyport.
	loginClient = "sallyport-cli"
	// loginTimeout is how long a person may take in the browser.
	loginTimeout = 10 * time.Minute
	// httpTimeout bounds one request of a sign-in.
	httpTimeout = 15 * time.Second
)

type loginCommand struct {
	NoBrowser bool `help:"Only show the address to open, for a machine without a browser of its own."`
	JSON      bool `help:"Answer with one JSON object, as whoami does." name:"json"`
}

// Help is the examples of --help.
func (loginCommand) Help() string {
	return `Opens a browser, in which you sign in with your Atlassian account. Commands then run as you, with the role that you have, until ` + "`sallyport logout`" + ` or a week without use. A token file that is named by --token-file or SALLYPORT_TOKEN_FILE goes before it.

Examples:

  sallyport login
  sallyport login --server https://sallyport-admin.example.com
  sallyport login --no-browser`
}

// Run signs in, keeps the tokens, and says who one is now.
func (l *loginCommand) Run(ctx context.Context, c *connection, t *terminal) error {
	server, err := c.server()
	if err != nil {
		return err
	}
	found, err := discover(ctx, server)
	if err != nil {
		return err
	}
	token, err := l.signIn(ctx, found)
	if err != nil {
		return err
	}
	kept := login{Resource: found.resource, TokenURL: found.server.TokenEndpoint, RevocationURL: found.server.RevocationEndpoint, Token: token}
	err = saveLogin(server, &kept)
	if err != nil {
		return err
	}
	return (&whoamiCommand{JSON: l.JSON}).Run(ctx, &connection{Server: server, signedIn: true}, t)
}

// signIn has a person sign in (RFC 8252), and exchanges the code.
func (l *loginCommand) signIn(ctx context.Context, found authorization) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, loginTimeout, advice("Nobody signed in within %v. Start again by `sallyport login`.", loginTimeout))
	defer cancel()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, advice("No port can be opened on this machine, which the browser comes back to: %w.", err)
	}
	config := found.config()
	config.RedirectURL = fmt.Sprintf("http://%s/callback", listener.Addr())
	verifier, state := oauth2.GenerateVerifier(), rand.Text()
	came := make(chan url.Values, 1)
	server := &http.Server{Handler: callback(state, came), ReadHeaderTimeout: httpTimeout}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	address := config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("resource", found.resource))
	fmt.Fprintf(os.Stderr, "Sign in with your Atlassian account at:\n\n  %s\n\nWaiting for the browser to come back. Ctrl-C stops.\n", address)
	if !l.NoBrowser {
		openBrowser(ctx, address)
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case answer := <-came:
		switch {
		case answer.Get("iss") != found.server.Issuer:
			return nil, advice("The answer came from %q instead of %s, so it wasn't used. Start again by `sallyport login`.", answer.Get("iss"), found.server.Issuer)
		case answer.Get("error") != "":
			return nil, answeredNo("You aren't signed in: %s", answer.Get("error_description"))
		}
		token, err := config.Exchange(withClient(ctx), answer.Get("code"), oauth2.VerifierOption(verifier), oauth2.SetAuthURLParam("resource", found.resource))
		if err != nil {
			return nil, advice("Sallyport gave no token: %s. Start again by `sallyport login`.", tokenError(err))
		}
		return token, nil
	}
}

// callback takes the browser's answer to the sign-in with a state, the first one, and no other.
func callback(state string, came chan<- url.Values) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Referrer-Policy", "no-referrer")
		if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(state)) != 1 {
			http.Error(w, "This isn't the sign-in that the sallyport command waits for.", http.StatusBadRequest)
			return
		}
		select {
		case came <- query:
			fmt.Fprintln(w, "Back to the terminal: the sallyport command goes on there. You can close this page.")
		default:
			http.Error(w, "The sallyport command has its answer already. You can close this page.", http.StatusBadRequest)
		}
	})
	return mux
}

// openBrowser opens an address, where that is possible: it is shown as well.
func openBrowser(ctx context.Context, address string) {
	program, arguments := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		program = "open"
	case "windows":
		program, arguments = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	}
	command := exec.CommandContext(context.WithoutCancel(ctx), program, arguments...)
	if command.Start() == nil {
		go func() { _ = command.Wait() }()
	}
}

// authorization is where one signs in to an admin API.
type authorization struct {
	resource string
	server   *oauthex.AuthServerMeta
}

func (a authorization) config() *oauth2.Config {
	return oauthConfig(a.server.AuthorizationEndpoint, a.server.TokenEndpoint)
}

func oauthConfig(authorizeURL, tokenURL string) *oauth2.Config {
	return &oauth2.Config{ClientID: loginClient, Scopes: []string{"admin"}, Endpoint: oauth2.Endpoint{
		AuthURL: authorizeURL, TokenURL: tokenURL, AuthStyle: oauth2.AuthStyleInParams,
	}}
}

// discover asks an admin API where one signs in (RFC 9728, RFC 8414).
func discover(ctx context.Context, server string) (authorization, error) {
	base, err := baseURL(server)
	if err != nil {
		return authorization{}, err
	}
	client := &http.Client{Timeout: httpTimeout}
	resource, err := oauthex.GetProtectedResourceMetadata(ctx, base+"/.well-known/oauth-protected-resource", base, client)
	if err != nil {
		return authorization{}, advice("%s doesn't say where to sign in: %w. Name the admin API by --server as its admins reach it; Sallyport has to run with --console-url.", base, err)
	}
	if len(resource.AuthorizationServers) == 0 {
		return authorization{}, advice("%s doesn't say where to sign in.", base)
	}
	issuer := resource.AuthorizationServers[0]
	meta, err := oauthex.GetAuthServerMeta(ctx, issuer+"/.well-known/oauth-authorization-server", issuer, client)
	if err == nil && (meta == nil || meta.AuthorizationEndpoint == "" || meta.TokenEndpoint == "") {
		err = errors.New("it has no sign-in")
	}
	if err != nil {
		return authorization{}, advice("%s, where %s has people sign in, can't be asked: %w.", issuer, base, err)
	}
	return authorization{resource.Resource, meta}, nil
}

// baseURL is the URL of a server, which is named as target reads it.
func baseURL(server string) (string, error) {
	_, _, err := target(server)
	if err != nil {
		return "", err
	}
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	return strings.TrimRight(server, "/"), nil
}

func withClient(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Timeout: httpTimeout})
}

// tokenError is what the token endpoint says of an error, without what was sent to it.
func tokenError(err error) string {
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if ok && refused.ErrorDescription != "" {
		return strings.TrimRight(refused.ErrorDescription, ".")
	}
	return err.Error()
}

type logoutCommand struct{}

// Help is the examples of --help.
func (logoutCommand) Help() string {
	return `Ends the sign-in of ` + "`sallyport login`" + `: its tokens are refused from the next request on.

Examples:

  sallyport logout
  sallyport logout --server https://sallyport-admin.example.com`
}

// Run ends the sign-in at Sallyport, and forgets it here.
func (logoutCommand) Run(ctx context.Context, c *connection, t *terminal) error {
	server, err := c.server()
	if err != nil {
		return err
	}
	kept, err := readLogin(server)
	if err != nil {
		return err
	}
	if kept == nil {
		t.printf("You aren't signed in at %s.\n", server)
		return nil
	}
	err = kept.revoke(ctx)
	if err != nil {
		return advice("You are still signed in: Sallyport didn't confirm the end of your sign-in (%w). Try again when it answers.", err)
	}
	err = saveLogin(server, nil)
	if err != nil {
		return err
	}
	t.printf("You are signed out at %s.\n", server)
	return nil
}

type whoamiCommand struct {
	JSON bool `help:"Answer with one JSON object: name, caller, role, account_id, display_name." name:"json"`
}

// Help is the examples of --help.
func (whoamiCommand) Help() string {
	return `Says as whom commands run, and with which role.

Examples:

  sallyport whoami
  sallyport whoami --json | jq -r .role`
}

// Run says who the caller is.
func (w *whoamiCommand) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	who, err := adminv1.NewSessionServiceClient(conn).GetSession(ctx, &adminv1.GetSessionRequest{})
	if err != nil {
		return err
	}
	if w.JSON {
		return writeJSON(t.out, struct {
			Name        string `json:"name"`
			Caller      string `json:"caller"`
			Role        string `json:"role"`
			AccountID   string `json:"account_id"`
			DisplayName string `json:"display_name"`
		}{who.GetName(), who.GetCaller(), roleWord(who.GetRole()), who.GetAccountId(), who.GetDisplayName()})
	}
	kind := map[string]string{"token_file": "a token of the token file", "api_token": "an API token", "person": "signed in at Atlassian"}[who.GetCaller()]
	if who.GetRole() == adminv1.Role_ROLE_UNSPECIFIED {
		t.printf("You are %s (%s), without a role: an admin gives you one by `sallyport roles add viewer %s`.\n", printable(who.GetName()), kind, printable(who.GetName()))
		return nil
	}
	t.printf("You are %s (%s), with the role %s.\n", printable(who.GetName()), kind, roleWord(who.GetRole()))
	return nil
}

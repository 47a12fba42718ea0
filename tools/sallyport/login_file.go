package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/oauth2"
)

const (
	// cliClient is this program's client id at Sallyport's authorization server, which knows it without a
	// registration.
	cliClient = "sallyport-cli"
	// refreshAhead is how long before its end an access token is replaced: longer than a call takes.
	refreshAhead = time.Minute
	// tokenTimeout bounds a call to the authorization server.
	tokenTimeout = 20 * time.Second
)

// login is somebody's sign-in to one Sallyport, as its file has it.
type login struct {
	// Server is the origin of the admin API, which its tokens are for.
	Server             string `json:"server"`
	TokenEndpoint      string `json:"token_endpoint"`
	RevocationEndpoint string `json:"revocation_endpoint"`

	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	ExpiresAt    time.Time `json:"expires_at"`
}

// loginPath is the file of the login to a server, which is given as an origin.
func loginPath(origin string) (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", advice("There is no folder to keep a login in: %w. Set HOME, or present a token by --token-file.", err)
	}
	return filepath.Join(dir, "sallyport", url.QueryEscape(origin)+".json"), nil
}

// readLogin returns the login of a file, or fs.ErrNotExist.
func readLogin(path string) (login, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return login{}, err
	}
	var l login
	err = json.Unmarshal(text, &l)
	if err != nil || l.Server == "" || l.AccessToken == "" {
		return login{}, advice("%s isn't a login: remove it, and sign in again by `sallyport login`.", path)
	}
	return l, nil
}

// write stores the login, whole or not at all, so that only its owner can read it.
func (l login) write(path string) error {
	text, err := json.MarshalIndent(l, "", "  ") //nolint:gosec // the file is for its owner alone
	if err != nil {
		return err
	}
	err = os.MkdirAll(filepath.Dir(path), 0o700)
	if err != nil {
		return err
	}
	// It is made with mode 0600.
	file, err := os.CreateTemp(filepath.Dir(path), ".login-*")
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// accept puts an answer with tokens in.
func (l *login) accept(token *oauth2.Token) {
	l.AccessToken, l.RefreshToken, l.ExpiresAt = token.AccessToken, token.RefreshToken, token.Expiry
}

func (l login) due() bool { return time.Until(l.ExpiresAt) < refreshAhead }

// loginToken returns the access token of a login, renewed where that is due. Several commands at once renew
// it once: whoever comes second finds the new one in the file.
func loginToken(ctx context.Context, path string) (string, error) {
	l, err := readLogin(path)
	if err != nil {
		return "", err
	}
	if !l.due() {
		return l.AccessToken, nil
	}
	unlock, err := lockFile(path + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	server := l.Server
	l, err = readLogin(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", advice("You have just signed out of %s.", server)
	}
	if err != nil || !l.due() {
		return l.AccessToken, err
	}
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	config := oauth2.Config{ClientID: cliClient, Endpoint: oauth2.Endpoint{TokenURL: l.TokenEndpoint, AuthStyle: oauth2.AuthStyleInParams}}
	token, err := config.TokenSource(withClient(ctx), &oauth2.Token{RefreshToken: l.RefreshToken}).Token()
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && (refused.ErrorCode == "invalid_grant" || refused.ErrorCode == "invalid_client") {
		return "", advice("Your sign-in at %s has ended: run `sallyport login` again, or `sallyport logout` to go on without.", l.Server)
	}
	if err != nil {
		return "", advice("Your sign-in couldn't be renewed at %s: %s. Try again in a moment.", l.TokenEndpoint, withoutBody(err))
	}
	l.accept(token)
	return l.AccessToken, l.write(path)
}

// withoutBody is an error of the authorization server in short: whole answers aren't shown, since what
// isn't understood could hold a token.
func withoutBody(err error) string {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return err.Error()
	}
	if refused.ErrorCode != "" {
		return fmt.Sprintf("%s: %s", refused.ErrorCode, refused.ErrorDescription)
	}
	return refused.Response.Status
}

// withClient has oauth2 use a client that follows no redirects: a token endpoint has no reason to send
// tokens elsewhere.
func withClient(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, noRedirects)
}

var noRedirects = &http.Client{
	Timeout:       tokenTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

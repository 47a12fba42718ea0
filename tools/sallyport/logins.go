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
	"strings"

	"golang.org/x/oauth2"
)

// login is a sign-in that is kept for later commands.
type login struct {
	Resource      string        `json:"resource"`
	TokenURL      string        `json:"token_url"`
	RevocationURL string        `json:"revocation_url"`
	Token         *oauth2.Token `json:"token"`
}

// loginsFile is where sign-ins are kept, by server: a file that only its owner can read.
func loginsFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", advice("There is no folder to keep a sign-in in: %w.", err)
	}
	return filepath.Join(dir, "sallyport", "logins.json"), nil
}

func readLogins() (map[string]*login, error) {
	path, err := loginsFile()
	if err != nil {
		return nil, err
	}
	all := map[string]*login{}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		return nil, advice("The sign-ins in %s can't be read: %w. Remove the file, and sign in again by `sallyport login`.", path, err)
	}
	return all, nil
}

// readLogin returns the sign-in at a server; nil where there is none.
func readLogin(server string) (*login, error) {
	address, _, err := target(server)
	if err != nil {
		return nil, err
	}
	all, err := readLogins()
	if err != nil {
		return nil, err
	}
	kept := all[address]
	if kept == nil || kept.Token == nil {
		return nil, nil
	}
	return kept, nil
}

// saveLogin keeps a sign-in at a server, or forgets it where it is nil. The file is whole at any moment.
func saveLogin(server string, kept *login) error {
	address, _, err := target(server)
	if err != nil {
		return err
	}
	all, err := readLogins()
	if err != nil {
		return err
	}
	all[address] = kept
	if kept == nil {
		delete(all, address)
	}
	path, err := loginsFile()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err != nil {
		return advice("The sign-in can't be kept: %w.", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), "logins-*") // mode 0600
	if err != nil {
		return advice("The sign-in can't be kept: %w.", err)
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return advice("The sign-in can't be kept: %w.", err)
	}
	return nil
}

// access returns an access token, renewed and kept where the last one is about to end. Two commands may
// renew at once: each gets a token that works, and the one kept last is used from then on.
func (l *login) access(ctx context.Context, server string) (string, error) {
	fresh, err := oauthConfig("", l.TokenURL).TokenSource(withClient(ctx), l.Token).Token()
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case ok && refused.ErrorCode != "":
		return "", advice("Your sign-in at %s has ended: sign in again by `sallyport login`. (%s)", server, tokenError(err))
	case err != nil:
		return "", advice("Your sign-in at %s can't be renewed: %w.", server, err)
	}
	if fresh.AccessToken != l.Token.AccessToken {
		l.Token = fresh
		err = saveLogin(server, l)
	}
	return fresh.AccessToken, err
}

// revoke ends the sign-in at Sallyport (RFC 7009).
func (l *login) revoke(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, httpTimeout)
	defer cancel()
	form := url.Values{"client_id": {loginClient}, "token": {l.Token.RefreshToken}, "token_type_hint": {"refresh_token"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.RevocationURL, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it answered with status %d", response.StatusCode)
	}
	return nil
}

// Package secrettest sees the secrets that tests hand over by HTTP, and finds those that lie somewhere in
// clear.
package secrettest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// window is how many bytes of a secret are compared first. Shorter ones are none: tests say "code" and "x"
// where anything will do.
const window = 20

// names are the parameters and JSON members that are secrets.
var names = []string{"access_token", "refresh_token", "code", "code_verifier", "state", "token", "client_secret"}

// Witness is a transport that remembers the secrets that pass through it. It is safe for concurrent use.
type Witness struct {
	next  http.RoundTripper
	mutex sync.Mutex
	// secrets are by what they begin with, each with the kind of secret that it is.
	secrets map[string]map[string]string
}

// Watch has every client that uses http.DefaultTransport pass its secrets through a new witness.
func Watch() *Witness {
	w := &Witness{next: http.DefaultTransport, secrets: map[string]map[string]string{}}
	http.DefaultTransport = w
	return w
}

// Add remembers secrets of a kind. The parts of a token that has dots count one by one.
func (w *Witness) Add(kind string, secrets ...string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, secret := range secrets {
		for part := range strings.SplitSeq(secret, ".") {
			if len(part) < window {
				continue
			}
			beginning := part[:window]
			if w.secrets[beginning] == nil {
				w.secrets[beginning] = map[string]string{}
			}
			w.secrets[beginning][part] = kind
		}
	}
}

// Seen counts the secrets by kind.
func (w *Witness) Seen() map[string]int {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	seen := map[string]int{}
	for _, alike := range w.secrets {
		for _, kind := range alike {
			seen[kind]++
		}
	}
	return seen
}

// Find returns where secrets are in a text, in words that don't repeat them.
func (w *Witness) Find(text []byte) []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	found := map[string]bool{}
	for i := range max(0, len(text)-window+1) {
		for secret, kind := range w.secrets[string(text[i:i+window])] {
			if bytes.HasPrefix(text[i:], []byte(secret)) {
				found[fmt.Sprintf("%s after %q", kind, text[max(0, i-60):i])] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// RoundTrip implements http.RoundTripper.
func (w *Witness) RoundTrip(r *http.Request) (*http.Response, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	w.Add(scheme+" token", token)
	for _, cookie := range r.Cookies() {
		w.Add("cookie "+cookie.Name, cookie.Value)
	}
	w.addValues(r.URL.Query())
	if r.Body != nil && r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, err := url.ParseQuery(string(body))
		if err == nil {
			w.addValues(form)
		}
	}
	response, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	for _, cookie := range response.Cookies() {
		w.Add("cookie "+cookie.Name, cookie.Value)
	}
	if location, err := response.Location(); err == nil {
		w.addValues(location.Query())
	}
	if strings.HasSuffix(r.URL.Path, "/oauth/token") {
		err = w.addAnswer(response)
	}
	return response, err
}

// addAnswer remembers the tokens of an answer, which can still be read afterwards.
func (w *Witness) addAnswer(response *http.Response) error {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	var answer map[string]any
	err = json.Unmarshal(body, &answer)
	if err != nil {
		return nil //nolint:nilerr // an answer without JSON has no tokens
	}
	for _, name := range names {
		text, _ := answer[name].(string)
		w.Add(name, text)
	}
	return nil
}

func (w *Witness) addValues(values url.Values) {
	for _, name := range names {
		w.Add(name, values[name]...)
	}
}

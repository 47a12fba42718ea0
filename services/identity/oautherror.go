package identity

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
)

// oauthError is an error as RFC 6749 sections 4.1.2.1 and 5.2 and RFC 7591 section 3.2.2 write it.
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// query is the error as parameters of a redirect.
func (e oauthError) query() url.Values {
	return url.Values{"error": {e.Code}, "error_description": {asDescription(e.Description)}}
}

// asDescription leaves only the characters that RFC 6749 allows in error_description: others may
// come from Atlassian's own texts.
func asDescription(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r < ' ' || r > '~' || r == '\\':
			return ' '
		}
		return r
	}, text)
}

// answerError answers a call of a client with an error. An unknown client is 401, which makes
// clients register again; so is one that tried to authenticate in the header, as RFC 6749 wants.
func answerError(w http.ResponseWriter, r *http.Request, e oauthError) {
	status := http.StatusBadRequest
	switch e.Code {
	case "invalid_client":
		status = http.StatusUnauthorized
		if r.Header.Get("Authorization") != "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="Sallyport"`)
		}
	case "too_many_requests":
		status = http.StatusTooManyRequests
	case "server_error":
		status = http.StatusInternalServerError
	case "temporarily_unavailable":
		status = http.StatusServiceUnavailable
	}
	e.Description = asDescription(e.Description)
	answerJSON(w, status, e)
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "Sallyport could not write its answer. Try again.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
		h.Set("Pragma", "no-cache")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// single returns a parameter that may be there once at most (RFC 6749 section 3.1).
func single(values url.Values, name string) (string, *oauthError) {
	switch len(values[name]) {
	case 0:
		return "", nil
	case 1:
		return values[name][0], nil
	}
	return "", &oauthError{"invalid_request", "The parameter " + name + " is there more than once."}
}

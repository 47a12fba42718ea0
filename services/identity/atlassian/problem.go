package atlassian

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
	"unicode"
)

// Problem is what one of Rovo's error texts says about the set-up.
type Problem string

const (
	// NoProblem says that the text isn't one of those that are known.
	NoProblem Problem = ""
	// ProblemDomain says that an admin has to allow the redirect URI on Rovo's list of domains.
	ProblemDomain Problem = "domain"
	// ProblemRequest is Atlassian's general error, which it shows for such a redirect URI too.
	ProblemRequest Problem = "request"
	// ProblemAddress says that an admin has to allow the IP address that the call came from.
	ProblemAddress Problem = "address"
	// ProblemApp says that an admin of the site has to install or allow Atlassian's MCP app.
	ProblemApp Problem = "app"
	// ProblemScopes says that Sallyport asked for scopes that the app doesn't have.
	ProblemScopes Problem = "scopes"
)

// texts are Rovo's own words as they were seen, the telling part of each, in the order in which they
// are looked for.
var texts = []struct {
	problem Problem
	text    string
}{
	{ProblemAddress, "You don't have permission to connect from this IP address"},
	{ProblemDomain, "Your organization admin must authorize access from this redirect URL"},
	{ProblemDomain, "Access to this domain is restricted"},
	{ProblemDomain, "Your admin has blocked this domain"},
	{ProblemApp, "Your site admin must authorize this app"},
	{ProblemScopes, "requested scopes that have not been added to the app"},
	{ProblemRequest, "Incorrect request parameters"},
}

// Recognize finds one of Rovo's error texts in a text, whatever its case, punctuation and HTML
// escapes, and returns its problem and the words as Sallyport knows them.
func Recognize(text string) (problem Problem, known string) {
	words := wordsOf(text)
	for _, t := range texts {
		if strings.Contains(words, wordsOf(t.text)) {
			return t.problem, t.text
		}
	}
	return NoProblem, ""
}

// ProblemOf is Recognize for what became of a call or a sign-in.
func ProblemOf(err error) (problem Problem, known string) {
	if err == nil {
		return NoProblem, ""
	}
	return Recognize(err.Error())
}

// apostrophes are as JSON may escape them.
var apostrophes = strings.NewReplacer(`\u0027`, "'", `\u2019`, "’")

// wordsOf is the words of a text in lower case, with one blank around each.
func wordsOf(text string) string {
	var b strings.Builder
	b.WriteByte(' ')
	blank := true
	for _, r := range apostrophes.Replace(html.UnescapeString(text)) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
			blank = false
		case strings.ContainsRune("'’‘ʼ`", r):
			// Don't, don’t and dont are one word.
		case !blank:
			b.WriteByte(' ')
			blank = true
		}
	}
	if !blank {
		b.WriteByte(' ')
	}
	return b.String()
}

// maxRefusalBytes bounds what is read of an answer to see whether Atlassian says why it refuses.
const maxRefusalBytes = 16 << 10

// refusals makes errors of answers that refuse with one of Rovo's texts, which nobody above reads: the
// MCP client drops the body of an answer that isn't MCP.
type refusals struct{ next http.RoundTripper }

func (r refusals) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if err != nil || response.StatusCode < http.StatusBadRequest || response.StatusCode >= http.StatusInternalServerError {
		return response, err
	}
	body := response.Body
	start, err := io.ReadAll(io.LimitReader(body, maxRefusalBytes))
	if err != nil {
		_ = body.Close()
		return nil, fmt.Errorf("reading the answer of %s: %w", request.URL.Redacted(), err)
	}
	if problem, known := Recognize(string(start)); problem == ProblemAddress {
		_ = body.Close()
		return nil, fmt.Errorf("%s answered with status %d: %s", request.URL.Redacted(), response.StatusCode, known)
	}
	response.Body = readAgain{io.MultiReader(bytes.NewReader(start), body), body}
	return response, nil
}

// readAgain is a body of which the start was read already.
type readAgain struct {
	io.Reader
	io.Closer
}

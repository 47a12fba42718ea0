package server_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// browser is a person's browser without JavaScript. It stops where a page sends it to the client.
type browser struct {
	t      *testing.T
	client *http.Client
	page   *html.Node
	at     *url.URL
	status int
	// back is the redirect to the client, once it has come.
	back *url.URL
}

const callback = "http://localhost:9/callback"

var errBack = errors.New("back at the client")

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t}
	b.client = &http.Client{Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(req.URL.String(), callback) {
			b.back = req.URL
			return errBack
		}
		return nil
	}}
	return b
}

func (b *browser) open(address string) {
	b.t.Helper()
	b.read(b.client.Get(address))
}

func (b *browser) read(res *http.Response, err error) {
	b.t.Helper()
	if errors.Is(err, errBack) {
		return
	}
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	b.status, b.at = res.StatusCode, res.Request.URL
	if b.page, err = html.Parse(res.Body); err != nil {
		b.t.Fatal(err)
	}
}

// press fills in the page's form and presses the button with the text.
func (b *browser) press(button string, fields url.Values) {
	b.t.Helper()
	form := find(b.page, func(n *html.Node) bool { return n.Data == "form" })
	pressed := find(b.page, func(n *html.Node) bool { return n.Data == "button" && text(n) == button })
	if form == nil || pressed == nil {
		b.t.Fatalf("no form with the button %q on %s: %s", button, b.at, text(b.page))
	}
	values := url.Values{}
	for n := range form.Descendants() {
		if n.Data == "input" && attribute(n, "name") != "" {
			values.Set(attribute(n, "name"), attribute(n, "value"))
		}
	}
	if name := attribute(pressed, "name"); name != "" {
		values.Set(name, attribute(pressed, "value"))
	}
	maps.Copy(values, fields)
	action, err := b.at.Parse(attribute(form, "action"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.read(b.client.PostForm(action.String(), values))
}

// signIn goes through login and consent.
func (b *browser) signIn(address, email string) url.Values {
	b.t.Helper()
	b.open(address)
	b.press("Log in", url.Values{"email": {email}})
	b.press("Accept", nil)
	if b.back == nil {
		b.t.Fatalf("not sent back to the client, but at %s: %s", b.at, text(b.page))
	}
	return b.back.Query()
}

func (b *browser) shows(sentence string) {
	b.t.Helper()
	if !strings.Contains(text(b.page), sentence) {
		b.t.Errorf("%s doesn't show %q but: %s", b.at, sentence, text(b.page))
	}
}

func find(root *html.Node, is func(*html.Node) bool) *html.Node {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && is(n) {
			return n
		}
	}
	return nil
}

func attribute(n *html.Node, name string) string {
	i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
	if i < 0 {
		return ""
	}
	return n.Attr[i].Val
}

func text(root *html.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			_, _ = io.WriteString(&b, n.Data+" ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

package identity_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// browser is a person's browser: it keeps cookies, follows redirects within http, fills in forms,
// and stops where an assistant listens.
type browser struct {
	t      *testing.T
	client *http.Client
	// stopAt is the beginning of the assistant's redirect URI.
	stopAt string
}

// page is what a browser shows.
type page struct {
	url    *url.URL
	status int
	header http.Header
	text   string
	// inputs are the fields of the page's form, action where it goes.
	inputs url.Values
	action string
}

func newBrowser(t *testing.T, stopAt string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, stopAt: stopAt}
	b.client = &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), b.stopAt) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b
}

func (b *browser) open(address string) page {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.show(r)
}

// submit sends the page's form with these fields changed or added.
func (b *browser) submit(p page, fields ...string) page {
	b.t.Helper()
	form := url.Values{}
	maps.Copy(form, p.inputs)
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	action, err := p.url.Parse(p.action)
	if err != nil || p.action == "" {
		b.t.Fatalf("the page has no form:\n%s", p.text)
	}
	r, err := http.NewRequest(http.MethodPost, action.String(), strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", p.url.Scheme+"://"+p.url.Host)
	return b.show(r)
}

func (b *browser) show(r *http.Request) page {
	b.t.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	p := page{url: response.Request.URL, status: response.StatusCode, header: response.Header, text: string(text), inputs: url.Values{}}
	if location := response.Header.Get("Location"); location != "" {
		p.url, err = url.Parse(location)
		if err != nil {
			b.t.Fatal(err)
		}
		return p
	}
	root, err := html.Parse(strings.NewReader(p.text))
	if err != nil {
		b.t.Fatal(err)
	}
	for node := range root.Descendants() {
		attributes := map[string]string{}
		for _, a := range node.Attr {
			attributes[a.Key] = a.Val
		}
		switch node.Data {
		case "form":
			p.action = attributes["action"]
		case "input":
			p.inputs.Set(attributes["name"], attributes["value"])
		}
	}
	return p
}

// Package signin signs people in at Sallyport as assistants and browsers do, with the stand-in for
// Atlassian behind it.
package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// Browser is somebody who goes through a sign-in: they read each page, give their e-mail where they
// are asked for it, and press the first button.
type Browser struct {
	email  string
	client *http.Client
}

// NewBrowser returns the browser of a person, by their e-mail address, without a cookie.
func NewBrowser(email string) *Browser {
	jar, _ := cookiejar.New(nil)
	return &Browser{email, &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

// Open opens a page, goes through all that follow, and returns where it ends: at the first page
// without a form. arrived says of a URL, if it isn't nil, that it is the end and not to be opened.
func (b *Browser) Open(ctx context.Context, page string, arrived func(*url.URL) bool) (*url.URL, error) {
	var end *url.URL
	b.client.CheckRedirect = func(next *http.Request, _ []*http.Request) error {
		if arrived != nil && arrived(next.URL) {
			end = next.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	for range 10 {
		if err != nil {
			return nil, err
		}
		response, err := b.client.Do(request)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		response.Body.Close()
		at := response.Request.URL
		switch {
		case err != nil:
			return nil, err
		case end != nil:
			return end, nil
		case response.StatusCode != http.StatusOK:
			return nil, fmt.Errorf("signing in, %s answered %s: %s", at.Host+at.Path, response.Status, body)
		}
		document, err := html.Parse(strings.NewReader(string(body)))
		if err != nil {
			return nil, err
		}
		form := element(document, "form")
		if form == nil {
			return at, nil
		}
		request, err = b.submit(ctx, at, form)
		if err != nil {
			return nil, err
		}
	}
	return nil, errors.New("signing in has more than 10 pages")
}

// submit fills in a form and presses its first button.
func (b *Browser) submit(ctx context.Context, at *url.URL, form *html.Node) (*http.Request, error) {
	values := url.Values{}
	for node := range form.Descendants() {
		name := attribute(node, "name")
		if node.Data != "input" || name == "" {
			continue
		}
		values.Set(name, attribute(node, "value"))
		if name == "email" {
			values.Set(name, b.email)
		}
	}
	if button := element(form, "button"); button != nil && attribute(button, "name") != "" {
		values.Set(attribute(button, "name"), attribute(button, "value"))
	}
	target, err := at.Parse(attribute(form, "action"))
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(values.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", at.Scheme+"://"+at.Host)
	return request, nil
}

// element is the first element of a kind below a node, nil if there is none.
func element(node *html.Node, kind string) *html.Node {
	for n := range node.Descendants() {
		if n.Type == html.ElementNode && n.Data == kind {
			return n
		}
	}
	return nil
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

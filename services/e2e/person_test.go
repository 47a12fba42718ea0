package e2e_test

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

// person is somebody at a browser: they follow redirects, read pages, fill in their e-mail and
// press the button that goes on.
type person struct {
	email   string
	browser *http.Client
	// pages are the titles of the pages they saw, in order.
	pages []string
}

func newPerson(email string) *person {
	jar, _ := cookiejar.New(nil)
	return &person{email: email, browser: &http.Client{
		Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// signIn opens an authorization URL, goes through every page, and returns the URL of the client's
// that the browser is sent to at the end.
func (p *person) signIn(ctx context.Context, authorizationURL, clientRedirect string) (*url.URL, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, authorizationURL, nil)
	if err != nil {
		return nil, err
	}
	for range 20 {
		response, err := p.browser.Do(request)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return nil, err
		}
		at := response.Request.URL
		switch {
		case response.StatusCode >= 300 && response.StatusCode < 400:
			next, err := at.Parse(response.Header.Get("Location"))
			if err != nil {
				return nil, err
			}
			if strings.HasPrefix(next.String(), clientRedirect) {
				return next, nil
			}
			request, err = http.NewRequestWithContext(ctx, http.MethodGet, next.String(), nil)
			if err != nil {
				return nil, err
			}
		case response.StatusCode == http.StatusOK:
			request, err = p.fillIn(ctx, at, body)
			if err != nil {
				return nil, fmt.Errorf("page %s: %w\n%s", at, err, body)
			}
		default:
			return nil, fmt.Errorf("page %s: HTTP %d: %s", at, response.StatusCode, body)
		}
	}
	return nil, errors.New("the sign-in has more than 20 pages")
}

// fillIn answers a page's form with its first button, as somebody who wants to go on.
func (p *person) fillIn(ctx context.Context, at *url.URL, page []byte) (*http.Request, error) {
	document, err := html.Parse(strings.NewReader(string(page)))
	if err != nil {
		return nil, err
	}
	if title := find(document, "title"); title != nil && title.FirstChild != nil {
		p.pages = append(p.pages, title.FirstChild.Data)
	}
	form := find(document, "form")
	if form == nil {
		return nil, errors.New("there is no form to go on with")
	}
	values := url.Values{}
	pressed := false
	for node := range form.Descendants() {
		name := attribute(node, "name")
		switch {
		case node.Data == "input" && attribute(node, "type") == "hidden":
			values.Set(name, attribute(node, "value"))
		case node.Data == "input" && name == "email":
			values.Set(name, p.email)
		case node.Data == "button" && !pressed:
			pressed = true
			if name != "" {
				values.Set(name, attribute(node, "value"))
			}
		}
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

func find(node *html.Node, element string) *html.Node {
	for n := range node.Descendants() {
		if n.Type == html.ElementNode && n.Data == element {
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

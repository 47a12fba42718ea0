package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// errAnswer is that the authorization server said no.
var errAnswer = errors.New("the sign-in was refused")

// callback waits at the loopback address that the authorization server sends the browser back to (RFC 8252
// section 7.3).
type callback struct {
	listener      net.Listener
	state, issuer string
	// answers has the one that counts: the first with the right state.
	answers chan url.Values
}

func listen(port uint16, state, issuer string) (*callback, error) {
	listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, advice("No port can be opened for your browser to come back to: %w. Choose another by --port.", err)
	}
	return &callback{listener: listener, state: state, issuer: issuer, answers: make(chan url.Values, 1)}, nil
}

func (c *callback) redirect() string { return "http://" + c.listener.Addr().String() + "/callback" }

// wait returns the code.
func (c *callback) wait(ctx context.Context) (string, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", c.take)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(c.listener) }()
	defer func() {
		// The page that says that it is done is still on its way.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case answer := <-c.answers:
		// Another issuer's answer is a mix-up (RFC 9207): its code isn't shown to anybody.
		if answer.Get("iss") != c.issuer {
			return "", advice("The answer came from %q, and the sign-in began at %s: it isn't used. Run `sallyport login` again.", answer.Get("iss"), c.issuer)
		}
		if answer.Get("error") != "" {
			return "", fmt.Errorf("%w: %s (%s)", errAnswer, answer.Get("error_description"), answer.Get("error"))
		}
		if answer.Get("code") == "" {
			return "", advice("The answer has no code. Run `sallyport login` again.")
		}
		return answer.Get("code"), nil
	}
}

// take takes the answer. Without the right state it is somebody else's, and the sign-in goes on waiting.
func (c *callback) take(w http.ResponseWriter, r *http.Request) {
	answer := r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(c.state)) != 1 {
		page(w, http.StatusBadRequest, "This isn't the answer to your sign-in.")
		return
	}
	if answer.Get("error") != "" || answer.Get("iss") != c.issuer {
		page(w, http.StatusBadRequest, "You are not signed in. The terminal says why.")
	} else {
		page(w, http.StatusOK, "Done. Go on in the terminal; you can close this page.")
	}
	select {
	case c.answers <- answer:
	default:
	}
}

func page(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!doctype html><html lang=en><title>Sallyport</title><p>%s</p></html>\n", html.EscapeString(text))
}

// openBrowser opens a page where this machine has a browser, and says whether it tried. The address goes
// to it as one argument, and no shell reads it.
func openBrowser(ctx context.Context, address string) bool {
	program, arguments := "xdg-open", []string{address}
	switch {
	case os.Getenv("BROWSER") != "":
		program = os.Getenv("BROWSER")
	case runtime.GOOS == "darwin":
		program = "open"
	case runtime.GOOS == "windows":
		program, arguments = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	}
	// The browser stays open when the command has ended.
	command := exec.CommandContext(context.WithoutCancel(ctx), program, arguments...)
	if command.Start() != nil {
		return false
	}
	go func() { _ = command.Wait() }()
	return true
}

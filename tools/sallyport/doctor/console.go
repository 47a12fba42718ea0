package doctor

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

var consoleSteps = []step{
	{"name", lookUpName, false}, {"port", openPort, false}, {"certificate", checkCertificate, false}, {"page", checkPage, false},
	{"clock", checkClock, true}, {"sign-in", checkConsoleSignIn, false},
}

// consoleProxy is what to do where something else than the console answers.
const consoleProxy = "Let the proxy send this name to Envoy's port for admins (8801), with the Host header as it came; or set SALLYPORT_CONSOLE_URL to the URL that leads there, for Envoy, identity and admin."

// checkPage asks for the console's first page.
func checkPage(ctx context.Context, w *way) Finding {
	a, err := ask(ctx, http.MethodGet, w.origin()+"/", "")
	if err != nil {
		return Finding{
			State: Problem, Sentence: fmt.Sprintf("%s takes the connection, but doesn't answer: %s.", w.url, reason(err)),
			Remedy: "Look into the log of Envoy, or of what stands before it.",
		}
	}
	w.answer = a
	if a.status != http.StatusOK {
		return Finding{State: Problem, Sentence: fmt.Sprintf("%s answers %s, and not the console.", w.url, statusText(a.status)), Remedy: consoleProxy}
	}
	return Finding{State: OK, Sentence: "A page answers."}
}

// checkConsoleSignIn reads the description of the admin API, which has to be of this very URL.
func checkConsoleSignIn(ctx context.Context, w *way) Finding {
	var resource struct{ Resource string }
	err := askMetadata(ctx, w.origin()+"/.well-known/oauth-protected-resource", &resource)
	switch {
	case err != nil:
		return Finding{
			State: Problem, Sentence: fmt.Sprintf("The console at %s doesn't say where to sign in: %v.", w.url, err),
			Remedy: "Start identity with SALLYPORT_CONSOLE_URL. " + consoleProxy,
		}
	case resource.Resource != strings.TrimSuffix(w.url.String(), "/"):
		return Finding{
			State: Problem, Sentence: fmt.Sprintf("The console takes itself to be at %s, and not at %s: nobody can sign in here.", resource.Resource, w.url), Remedy: consoleProxy,
		}
	}
	return Finding{State: OK, Sentence: "Admins can sign in."}
}

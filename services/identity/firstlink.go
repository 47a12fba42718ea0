package identity

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"sallyport/services/internal/act"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/state"
)

// firstLinkOver is what somebody is told who comes too late.
const firstLinkOver = "It was used, or is older than a day. Whoever runs Sallyport can make another one by `sallyport first-link`, as long as nobody has a role; after that an admin gives you one by `sallyport roles add`."

// firstLinkPage shows what the link does. It changes nothing, since mail scanners and chat previews open links.
func (s *server) firstLinkPage(w http.ResponseWriter, r *http.Request) {
	token := r.PathValue("token")
	valid, err := s.store.FirstLink(r.Context(), state.TokenHash(token))
	switch {
	case err != nil:
		s.failedPage(w, r, err)
	case !valid:
		s.pages.message(w, http.StatusGone, messageView{Title: "This link doesn't work any more", Reason: firstLinkOver, Contact: s.contact})
	default:
		s.pages.console(w, http.StatusOK, consoleView{
			Title: "Become Sallyport's first admin?",
			Text: []string{
				"You sign in to Atlassian next. The account that you choose there becomes admin of this Sallyport: it may change the rules, read the whole log, and give others a role.",
				"Atlassian lets you come back only to addresses that it knows. If it refuses, add " + s.callback + " in Atlassian Administration, under Rovo, Rovo MCP server, Domains, and open this link again.",
				"The link works once. What you do with it is written down.",
			},
			Action: "/first", Token: token, Button: "Sign in and become admin", Contact: s.contact,
		})
	}
}

// firstLink begins the sign-in of whoever pressed the page's button.
func (s *server) firstLink(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if !s.fromConsole(r) || r.ParseForm() != nil {
		s.refusePage(w, r, "Open the link itself, and press the button there.")
		return
	}
	token := r.PostForm.Get("token")
	valid, err := s.store.FirstLink(r.Context(), state.TokenHash(token))
	if err != nil {
		s.failedPage(w, r, err)
		return
	}
	if !valid {
		s.pages.message(w, http.StatusGone, messageView{Title: "This link doesn't work any more", Reason: firstLinkOver, Contact: s.contact})
		return
	}
	s.beginConsole(w, r, consoleSignIn{FirstLink: token})
}

// becomeFirst uses a first link up for the person who has just signed in, and says whether it has made them
// admin; else the page that tells why is shown. Nothing is done that wasn't written down.
func (s *server) becomeFirst(w http.ResponseWriter, r *http.Request, access, token string) bool {
	granted, err := s.grantOfConsole(r.Context(), access)
	if err != nil {
		s.failedPage(w, r, err)
		return false
	}
	recorded, err := s.acts.Begin(r.Context(), act.Act{
		Action: "first_link.use", Category: "iam", Type: "change",
		By:     activity.User{ID: granted.AccountID, Email: granted.Email, Name: granted.Name},
		Caller: act.Person, Targets: []string{granted.AccountID}, Details: map[string]string{"role": "admin"},
		SourceIP: sourceIP(r), UserAgent: r.UserAgent(),
	})
	if err != nil {
		s.failedPage(w, r, err)
		return false
	}
	by := cmp.Or(granted.Email, granted.AccountID)
	err = s.store.UseFirstLink(r.Context(), state.TokenHash(token), 0,
		[]state.RoleBinding{{Role: "admin", AccountID: granted.AccountID}}, state.Save{At: time.Now().UTC(), By: by, Message: "by the first link"})
	if errors.Is(err, state.ErrNotOnDisk) {
		// If Redis loses it, the link works again.
		s.log.Warn("the first admin's role would be lost if Redis were killed now", "account_id", granted.AccountID, "error", err)
		err = nil
	}
	switch {
	case errors.Is(err, state.ErrNotFound), errors.Is(err, state.ErrConflict):
		recorded.End(r.Context(), act.Outcome{Code: "FailedPrecondition", Message: "The link was used, has expired, or roles were given meanwhile."})
		s.pages.message(w, http.StatusGone, messageView{Title: "This link doesn't work any more", Reason: firstLinkOver, Contact: s.contact})
	case err != nil:
		recorded.End(r.Context(), act.Outcome{Code: "Unavailable", Message: err.Error()})
		s.failedPage(w, r, err)
	default:
		recorded.End(r.Context(), act.Outcome{})
		s.log.Info("first admin", "account_id", granted.AccountID)
	}
	return err == nil
}

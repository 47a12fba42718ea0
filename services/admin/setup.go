package admin

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
)

const (
	setupDone    = adminv1.SetupState_SETUP_STATE_DONE
	setupAction  = adminv1.SetupState_SETUP_STATE_ACTION_NEEDED
	setupUnknown = adminv1.SetupState_SETUP_STATE_UNKNOWN
)

// maxNamed is how many tools a sentence names.
const maxNamed = 5

// groupsSetup tells whether people's groups can be learned: whether Jira answers now, or within the last minute.
func (p people) groupsSetup(ctx context.Context, now bool) *adminv1.SetupItem {
	item := &adminv1.SetupItem{Name: "groups", State: setupDone}
	_, err := p.directory.CheckDirectory(ctx, &identityv1.CheckDirectoryRequest{Now: now})
	if err == nil {
		return item
	}
	err = identityAway(err)
	item.State, item.Detail = setupUnknown, sentence(status.Convert(err).Message())
	// identity says what is wrong; then what to do.
	fault, remedy, ok := strings.Cut(item.GetDetail(), "; ")
	if ok {
		item.Remedy = upper(remedy)
		item.Detail = fault + ". " + item.GetRemedy()
	}
	if code := status.Code(err); code == codes.FailedPrecondition || code == codes.NotFound {
		item.State = setupAction
	}
	return item
}

// sitesSetup tells whether strangers with an Atlassian account are kept out, which identity's settings say.
func sitesSetup(settings []*adminv1.Setting) *adminv1.SetupItem {
	item := &adminv1.SetupItem{Name: "sites", State: setupUnknown, Detail: "identity doesn't tell whose accounts may sign in."}
	for _, s := range settings {
		switch {
		case s.GetPart() != "identity" || s.GetFlag() != "sites":
		case s.GetValue() == "":
			item.State = setupAction
			item.Remedy = "Start identity with --sites (" + s.GetEnvironment() + ") and the host name of your site, such as acme.atlassian.net."
			item.Detail = "Whoever has an Atlassian account, of whatever site, may sign in. " + item.GetRemedy()
		default:
			item.State = setupDone
			item.Detail = "Only accounts of " + strings.ReplaceAll(s.GetValue(), ",", ", ") + " may sign in."
		}
	}
	return item
}

// toolsSetup tells whether what the site offers is reviewed.
func (s *OperationServer) toolsSetup(ctx context.Context) (*adminv1.SetupItem, []*adminv1.Operation) {
	item := &adminv1.SetupItem{Name: "tools", State: setupDone}
	tools, err := s.catalogue.tools(ctx)
	if err != nil {
		item.State, item.Detail = setupUnknown, status.Convert(err).Message()
		return item, nil
	}
	if len(tools) == 0 {
		item.State, item.Detail = setupUnknown, toolsUnknown
		return item, nil
	}
	notices, err := s.notices(ctx, tools)
	switch {
	case err != nil:
		item.State, item.Detail = setupUnknown, status.Convert(err).Message()
	case len(notices) > 0:
		item.State, item.Detail, item.Remedy = setupAction, reviewNeeded(notices)+" "+review, review
	}
	return item, notices
}

const review = "Look at them with `sallyport policy operations --notices`, and mark them with `sallyport policy review`."

func reviewNeeded(notices []*adminv1.Operation) string {
	var names []string
	for i, o := range notices {
		if i == maxNamed {
			names = append(names, fmt.Sprintf("%d more", len(notices)-maxNamed))
			break
		}
		names = append(names, fmt.Sprintf("%s (%s)", o.GetName(), o.GetNotice()))
	}
	subject := "1 tool of the site is new, changed or gone since tools were last reviewed"
	if len(notices) > 1 {
		subject = fmt.Sprintf("%d tools of the site are new, changed or gone since tools were last reviewed", len(notices))
	}
	return subject + ": " + strings.Join(names, ", ") + "."
}

// sentence ends a text like one.
func sentence(text string) string { return strings.TrimRight(text, ". ") + "." }

package main

import (
	"context"
	"errors"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// maxVersions is how many versions the admin API returns at a time, and maxVersionLines how many
// lines of changes each is shown with.
const (
	maxVersions     = 100
	maxVersionLines = 12
)

type policyHistory struct {
	Limit int  `help:"How many versions at most." default:"20" short:"n"`
	JSON  bool `help:"One JSON object a line: version, saved_at, saved_by, message, changes." name:"json"`
}

// Help is the examples of --help.
func (policyHistory) Help() string {
	return `Each version is shown with what it changed in the one before. "saved by" is the name of a token, or a person's e-mail address.

Examples:

  sallyport policy history
  sallyport policy history --limit 1000 --json | jq -r '[.version, .saved_at, .saved_by, .message] | @tsv'
  sallyport policy diff 5 7`
}

// Validate refuses a limit that can't be.
func (h *policyHistory) Validate() error {
	if h.Limit < 1 {
		return errors.New("--limit must be 1 or more")
	}
	return nil
}

// versionText is a version as JSON.
type versionText struct {
	Version int64         `json:"version"`
	SavedAt time.Time     `json:"saved_at"`
	SavedBy string        `json:"saved_by"`
	Message string        `json:"message"`
	Changes policyChanges `json:"changes"`
}

// Run shows the versions.
func (h *policyHistory) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	client := adminv1.NewPolicyServiceClient(conn)
	request := &adminv1.ListPolicyVersionsRequest{}
	for shown := 0; shown < h.Limit; {
		request.PageSize = int32(min(h.Limit-shown, maxVersions))
		page, err := client.ListPolicyVersions(ctx, request)
		if err != nil {
			return err
		}
		for _, v := range page.GetVersions() {
			err = h.show(t, v)
			if err != nil {
				return err
			}
		}
		shown += len(page.GetVersions())
		request.PageToken = page.GetNextPageToken()
		if request.PageToken == "" {
			if shown == 0 && !h.JSON {
				t.printf("No policy was saved yet, and until one is, every call is refused. Put one in force by `sallyport policy apply`.\n")
			}
			return nil
		}
	}
	if !h.JSON {
		t.printf("%s\n", t.paint("There are more: raise --limit.", faint))
	}
	return nil
}

func (h *policyHistory) show(t *terminal, v *adminv1.PolicyVersion) error {
	if h.JSON {
		return writeJSONLine(t.out, versionText{v.GetVersion(), v.GetSavedAt().AsTime(), v.GetSavedBy(), v.GetMessage(), newPolicyChanges(v.GetChanges())})
	}
	t.printf("Version %s, saved %s\n", groupDigits(v.GetVersion()), printable(byWhom(v.GetSavedBy(), v.GetSavedAt(), v.GetMessage())))
	changes := v.GetChanges()
	more := len(changes) - maxVersionLines
	if more > 0 {
		changes = changes[:maxVersionLines]
	}
	showChanges(t, "  ", changes)
	if more > 0 {
		t.printf("  %s\n", t.paint("and "+count(more, "change")+" more", faint))
	}
	return nil
}

type policyDiff struct {
	From string `arg:"" help:"A POLICY. Alone, a file is compared with the policy in force, and of a version is shown what has changed since." placeholder:"POLICY"`
	To   string `arg:"" optional:"" help:"The POLICY to compare it with." placeholder:"POLICY"`
	JSON bool   `help:"Answer with one JSON object: default_changed, and the ids of rules in added, removed, changed and moved." name:"json"`
}

// Help is the examples of --help.
func (policyDiff) Help() string {
	return `A rule is the same one where its id is. Rules of a file that have no id are those in force that say the same.

Exits with 0 if both say the same, 1 if something is different, 3 if Sallyport can't be asked.

Examples:

  sallyport policy diff policy.yaml            # what applying it would change
  sallyport policy diff 6                      # what has changed since version 6
  sallyport policy diff 5 7
  sallyport policy diff 5 policy.yaml`
}

// Run shows the differences.
func (d *policyDiff) Run(ctx context.Context, c *connection, t *terminal) error {
	before, err := readDraft(d.From)
	if err != nil {
		return err
	}
	after, err := readDraft(d.To)
	if err != nil {
		return err
	}
	if d.To == "" && before.file != nil {
		before, after = draft{}, before
	}
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewPolicyServiceClient(conn).ComparePolicies(ctx, &adminv1.ComparePoliciesRequest{Before: before.source(), After: after.source()})
	if err != nil {
		return after.blame(before.blame(err))
	}
	changes := answer.GetChanges()
	if d.JSON {
		err = writeJSON(t.out, newPolicyChanges(changes))
		if err != nil {
			return err
		}
	} else if len(changes) == 0 {
		t.printf("%s and %s say the same.\n", capital(before.String()), after)
	} else {
		t.printf("From %s to %s:\n", before, after)
		showChanges(t, "  ", changes)
	}
	if len(changes) > 0 {
		return errShown
	}
	return nil
}

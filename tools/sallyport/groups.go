package main

import (
	"context"
	"fmt"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

type groupsVerbs struct {
	List    groupsList    `cmd:"" help:"List the groups of the Atlassian site, for rules."`
	Refresh groupsRefresh `cmd:"" help:"Ask Jira now who is in which group."`
}

type groupsList struct {
	Query string `arg:"" optional:"" help:"Part of a name."`
	JSON  bool   `help:"One JSON object a line: id, name." name:"json"`
}

// Help is the examples of --help.
func (groupsList) Help() string {
	return `A rule names a group by its name, or by its id, which stays when the group is renamed.

Examples:

  sallyport groups list
  sallyport groups list contractors
  sallyport groups list --json | jq -r '"group:" + .id'`
}

// groupText is a group as JSON.
type groupText struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Run shows the groups.
func (g *groupsList) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewDirectoryServiceClient(conn).ListGroups(ctx, &adminv1.ListGroupsRequest{Query: g.Query})
	if err != nil {
		return err
	}
	shown := table{columns: []column{{title: "NAME", least: 12}, {title: "RULES MAY SAY", least: 12}}}
	for _, group := range answer.GetGroups() {
		if g.JSON {
			err = writeJSONLine(t.out, groupText{group.GetId(), group.GetName()})
			if err != nil {
				return err
			}
			continue
		}
		shown.add(cell{text: group.GetName()}, cell{text: "group:" + group.GetId()})
	}
	switch {
	case g.JSON:
	case len(answer.GetGroups()) > 0:
		shown.write(t)
	case g.Query != "":
		t.printf("The site has no group with %q in its name. `sallyport groups list` shows all.\n", g.Query)
	default:
		t.printf("The site has no groups, or none that Sallyport's Jira account may see.\n")
	}
	return nil
}

type groupsRefresh struct {
	User string `arg:"" optional:"" help:"A person who has signed in, by e-mail address or account id; left out, everybody."`
	JSON bool   `help:"Answer with one JSON object: refreshed, unknown; how many people." name:"json"`
}

// Help is the examples of --help.
func (groupsRefresh) Help() string {
	return `Groups are asked for at sign-in and every four minutes after. When this has answered, the very next call is decided by what Jira says now. Where Jira doesn't answer, groups are unknown from then on: a deny rule for a group matches, an allow rule doesn't.

Exits with 1 if somebody's groups are unknown now.

Examples:

  sallyport groups refresh ana@acme.test
  sallyport groups refresh`
}

// Run asks Jira and says for how many people it answered.
func (g *groupsRefresh) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewDirectoryServiceClient(conn).RefreshGroups(ctx, &adminv1.RefreshGroupsRequest{User: g.User})
	if err != nil {
		return err
	}
	if g.JSON {
		err = writeJSON(t.out, struct {
			Refreshed int32 `json:"refreshed"`
			Unknown   int32 `json:"unknown"`
		}{answer.GetRefreshed(), answer.GetUnknown()})
		if err != nil {
			return err
		}
	} else {
		t.printf("%s\n", refreshedLine(answer))
	}
	if answer.GetUnknown() > 0 {
		return errShown
	}
	return nil
}

func refreshedLine(answer *adminv1.RefreshGroupsResponse) string {
	switch {
	case answer.GetRefreshed()+answer.GetUnknown() == 0:
		return "Nobody is signed in, so there is nobody to ask for. Groups are learned at sign-in."
	case answer.GetUnknown() == 0:
		return fmt.Sprintf("The groups of %s are those that Jira says now.", people(answer.GetRefreshed()))
	}
	return fmt.Sprintf("Jira answered for %s and not for %s, whose groups are unknown until it does. Look into identity's log for the reason.", people(answer.GetRefreshed()), people(answer.GetUnknown()))
}

func people(n int32) string {
	if n == 1 {
		return "1 person"
	}
	return groupDigits(int64(n)) + " people"
}

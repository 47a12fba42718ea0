package main

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

type alertsCommand struct {
	Since since `help:"Only since then: 15m, 2h, 7d ago, a day as 2026-11-23, or a time as 2026-11-23T09:00:00Z." placeholder:"TIME" default:"7d"`
	Limit int   `help:"How many at most." default:"50" short:"n"`
	JSON  bool  `help:"One JSON object a line: id, time, alert (first_block, new_client or block_rate), message, record, user, client, operation, rule, blocked, calls, since." name:"json"`
}

// Help is the examples of --help.
func (alertsCommand) Help() string {
	return `There is an alert when a rule blocks a person for the first time, when an assistant makes its first call, and when more than a share of the calls of ten minutes is blocked. Which there are, and where else they go, is set with accesslog (docs/siem.md).

Examples:

  sallyport alerts
  sallyport alerts --since 30d --limit 500
  sallyport alerts --since 1h --json | jq -r 'select(.alert == "new_client") | .message'`
}

// Validate refuses what lists nothing.
func (a *alertsCommand) Validate() error {
	if a.Limit < 1 {
		return errors.New("--limit must be 1 or more")
	}
	return nil
}

// Run shows the alerts.
func (a *alertsCommand) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	found, more, err := a.fetch(ctx, adminv1.NewAlertServiceClient(conn))
	if err != nil {
		return err
	}
	if a.JSON {
		for _, one := range found {
			err = writeJSONLine(t.out, alertTextOf(one))
			if err != nil {
				return err
			}
		}
		return nil
	}
	if len(found) == 0 {
		t.printf("There was no alert since then. `sallyport alerts --since 90d` looks further back.\n")
		return nil
	}
	showAlerts(t, found)
	if more {
		t.printf("%s\n", t.paint("There are more: raise --limit, or narrow by --since.", faint))
	}
	return nil
}

// fetch returns as many alerts as may be shown, and whether there are more.
func (a *alertsCommand) fetch(ctx context.Context, client adminv1.AlertServiceClient) (found []*adminv1.Alert, more bool, _ error) {
	request := &adminv1.ListAlertsRequest{}
	if at := a.Since.before(time.Now()); !at.IsZero() {
		request.Since = timestamppb.New(at)
	}
	for {
		request.PageSize = int32(min(a.Limit-len(found), maxPage))
		page, err := client.ListAlerts(ctx, request)
		if err != nil {
			return nil, false, err
		}
		found = append(found, page.GetAlerts()...)
		request.PageToken = page.GetNextPageToken()
		if request.PageToken == "" || len(found) >= a.Limit {
			return found, request.PageToken != "", nil
		}
	}
}

// alertWords are the alerts as people read them.
var alertWords = map[string]string{"first_block": "first block", "new_client": "new assistant", "block_rate": "many blocked"}

// showAlerts shows each alert's sentences whole: they say what to do.
func showAlerts(t *terminal, found []*adminv1.Alert) {
	for _, one := range found {
		t.printf("%s  %s  %s\n", one.GetTime().AsTime().Local().Format(time.DateTime),
			t.paint(pad(firstOf(alertWords[one.GetAlert()], one.GetAlert()), 13), yellow), printable(one.GetMessage()))
	}
}

// alertText is an alert as JSON.
type alertText struct {
	ID        string        `json:"id"`
	Time      *time.Time    `json:"time"`
	Alert     string        `json:"alert"`
	Message   string        `json:"message"`
	Record    string        `json:"record"`
	User      alertUser     `json:"user"`
	Client    clientText    `json:"client"`
	Operation string        `json:"operation"`
	Rule      alertRuleText `json:"rule"`
	Blocked   int64         `json:"blocked"`
	Calls     int64         `json:"calls"`
	Since     *time.Time    `json:"since"`
}

type alertUser struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

type alertRuleText struct {
	ID     string `json:"id"`
	Number int32  `json:"number"`
	Note   string `json:"note"`
}

func alertTextOf(a *adminv1.Alert) alertText {
	client := a.GetClient()
	return alertText{
		ID: a.GetId(), Time: timeOf(a.GetTime()), Alert: a.GetAlert(), Message: a.GetMessage(), Record: a.GetRecordId(),
		User:      alertUser{a.GetUser().GetId(), a.GetUser().GetName(), a.GetUser().GetEmail()},
		Client:    clientText{client.GetKey(), client.GetName(), client.GetClass(), client.GetInfo(), client.GetMismatch()},
		Operation: a.GetOperation(), Rule: alertRuleText{a.GetRuleId(), a.GetRuleNumber(), a.GetRuleNote()},
		Blocked: a.GetBlocked(), Calls: a.GetCalls(), Since: timeOf(a.GetSince()),
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// connectionsPage is how many connections are asked for at once, the most that the API gives.
const connectionsPage = 1000

type connectionsVerbs struct {
	List connectionsList `cmd:"" help:"List who has connected which assistant."`
	End  connectionsEnd  `cmd:"" help:"End one connection."`
}

type connectionsList struct {
	User   string `help:"Only those of a person: e-mail address, or Atlassian account id." placeholder:"PERSON"`
	Client string `help:"Only those of an assistant: its name, or the key that rules use."`
	Limit  int    `default:"50" help:"How many at most; 50 where it isn't said."`
	JSON   bool   `help:"One JSON object a line: id, account_id, email, name, client, site, since, last_used, expires." name:"json"`
}

// Help is the examples of --help.
func (connectionsList) Help() string {
	return `A connection is one sign-in: this person lets this assistant act for them. Those made last come first. How sure it is which assistant that is stands under SURE: verified, claimed or unknown. Where it calls itself something else than it registered as, that is shown too. Sign-ins to the admin API are among them, as sallyport-cli and sallyport-console.

Examples:

  sallyport connections list
  sallyport connections list --user ana@acme.test
  sallyport connections list --client cursor --limit 500
  sallyport connections list --json | jq -r 'select(.client.mismatch) | .id'`
}

// Validate refuses what lists nothing.
func (l *connectionsList) Validate() error {
	if l.Limit < 1 {
		return fmt.Errorf("--limit is %d: it must be 1 or more", l.Limit)
	}
	return nil
}

// Run lists the connections.
func (l *connectionsList) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	found, more, err := l.fetch(ctx, adminv1.NewConnectionServiceClient(conn))
	if err != nil {
		return err
	}
	if l.JSON {
		for _, one := range found {
			err = writeJSONLine(t.out, connectionTextOf(one))
			if err != nil {
				return err
			}
		}
		return nil
	}
	l.show(t, found, more)
	return nil
}

// fetch returns as many connections as may be shown, and whether there are more.
func (l *connectionsList) fetch(ctx context.Context, client adminv1.ConnectionServiceClient) (found []*adminv1.Connection, more bool, _ error) {
	request := &adminv1.ListConnectionsRequest{User: l.User, Client: l.Client}
	for {
		request.PageSize = int32(min(l.Limit-len(found), connectionsPage))
		page, err := client.ListConnections(ctx, request)
		if err != nil {
			return nil, false, err
		}
		found = append(found, page.GetConnections()...)
		request.PageToken = page.GetNextPageToken()
		if request.PageToken == "" || len(found) >= l.Limit {
			return found, request.PageToken != "", nil
		}
	}
}

func (l *connectionsList) show(t *terminal, found []*adminv1.Connection, more bool) {
	if len(found) == 0 {
		if l.User != "" || l.Client != "" {
			t.printf("There is no such connection. `sallyport connections list` shows all.\n")
			return
		}
		t.printf("Nobody has connected an assistant yet. People do so by adding Sallyport's URL to theirs: `sallyport status` shows it.\n")
		return
	}
	shown := table{columns: []column{
		{title: "ID"}, {title: "PERSON", least: 8}, {title: "CLIENT", least: 8}, {title: "SURE", drop: 3},
		{title: "SINCE", drop: 1}, {title: "LAST USED"}, {title: "EXPIRES", drop: 2},
	}}
	for _, one := range found {
		shown.add(cell{text: one.GetId()}, cell{text: personText(one)}, clientCell(one.GetClient()), classCell(one.GetClient()),
			cell{text: whenText(one.GetSince())}, cell{text: whenText(one.GetLastUsed())}, cell{text: whenText(one.GetExpires())})
	}
	shown.write(t)
	if more {
		t.printf("%s\n", t.paint("There are more: raise --limit, or narrow by --user or --client.", faint))
	}
}

func personText(c *adminv1.Connection) string {
	return firstOf(c.GetEmail(), c.GetName(), c.GetAccountId())
}

// classCell is how sure it is which assistant a client is.
func classCell(c *activityv1.Client) cell {
	if c.GetClass() == "verified" {
		return cell{text: c.GetClass(), tint: green}
	}
	return cell{text: firstOf(c.GetClass(), "-")}
}

// clientText is an assistant as JSON.
type clientText struct {
	Key      string `json:"key"`
	Name     string `json:"name"`
	Class    string `json:"class"`
	Info     string `json:"info"`
	Mismatch bool   `json:"mismatch"`
}

// connectionText is a connection as JSON.
type connectionText struct {
	ID        string     `json:"id"`
	AccountID string     `json:"account_id"`
	Email     string     `json:"email"`
	Name      string     `json:"name"`
	Client    clientText `json:"client"`
	Site      string     `json:"site"`
	Since     *time.Time `json:"since"`
	LastUsed  *time.Time `json:"last_used"`
	Expires   *time.Time `json:"expires,omitempty"`
}

func connectionTextOf(c *adminv1.Connection) connectionText {
	client := c.GetClient()
	return connectionText{
		c.GetId(), c.GetAccountId(), c.GetEmail(), c.GetName(),
		clientText{client.GetKey(), client.GetName(), client.GetClass(), client.GetInfo(), client.GetMismatch()},
		c.GetSite(), timeOf(c.GetSince()), timeOf(c.GetLastUsed()), timeOf(c.GetExpires()),
	}
}

type connectionsEnd struct {
	ID   string `arg:"" help:"The connection's id, from connections list."`
	JSON bool   `help:"Answer with one JSON object: connection, revocation, revocation_detail." name:"json"`
}

// Help is the examples of --help.
func (connectionsEnd) Help() string {
	return `Once the command has answered, every call by that assistant for that person is refused, and the person is asked again before it is connected again. To keep them from that, deny it by a rule with who and client. With a person's last assistant their tokens at Atlassian are revoked, too.

Examples:

  sallyport connections list --user ana@acme.test
  sallyport connections end ckJ3mX0q2TfW7vLr9uYbN5A`
}

// Validate refuses an id that can't be.
func (e *connectionsEnd) Validate() error {
	if strings.TrimSpace(e.ID) == "" {
		return errors.New("the connection's id is missing")
	}
	return nil
}

// Run ends the connection and says what became of the person's tokens.
func (e *connectionsEnd) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	defer saySlow("Atlassian is asked to revoke the person's tokens.")()
	answer, err := adminv1.NewConnectionServiceClient(conn).Disconnect(ctx, &adminv1.DisconnectRequest{Id: e.ID})
	if err != nil {
		return err
	}
	revoked := revocationOf(answer)
	if e.JSON {
		return writeJSON(t.out, struct {
			Connection connectionText `json:"connection"`
			revocationText
		}{connectionTextOf(answer.GetConnection()), revoked})
	}
	ended := answer.GetConnection()
	t.printf("%s is disconnected from %s: every call by it is refused until they connect it again.\n",
		printable(clientCell(ended.GetClient()).text), printable(personText(ended)))
	revoked.show(t)
	return nil
}

// revocationText is what became of a person's tokens at Atlassian, as JSON.
type revocationText struct {
	// Revocation is not_needed, confirmed or unconfirmed.
	Revocation string `json:"revocation"`
	// Detail says why it is unconfirmed, and what to do.
	Detail string `json:"revocation_detail"`
}

// revoking are answers that tell of a revocation.
type revoking interface {
	GetRevocation() adminv1.Revocation
	GetRevocationDetail() string
}

func revocationOf(answer revoking) revocationText {
	word := strings.TrimPrefix(answer.GetRevocation().String(), "REVOCATION_")
	return revocationText{strings.ToLower(word), answer.GetRevocationDetail()}
}

func (r revocationText) show(t *terminal) {
	switch r.Revocation {
	case "confirmed":
		t.printf("Their tokens are revoked at Atlassian.\n")
	case "not_needed":
		t.printf("Nothing had to be revoked at Atlassian: another assistant still uses the person's tokens, or Sallyport held none.\n")
	default:
		t.printf("%s\n", t.paint(printable(firstOf(r.Detail, "What became of their tokens at Atlassian isn't known.")), yellow))
	}
}

// saySlow says on standard error what a command waits for, once that takes a while. What it returns has to
// be called at the end.
func saySlow(text string) (stop func() bool) {
	return time.AfterFunc(progressLines, func() { fmt.Fprintln(os.Stderr, text) }).Stop
}

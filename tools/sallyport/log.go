package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// maxPage is how many records the admin API returns at a time.
const maxPage = 1000

// logVerbs are the log, and what is done with records of it.
type logVerbs struct {
	List     logCommand  `cmd:"" default:"withargs" help:"Show what assistants did, or admins, newest first (what log does by itself)."`
	Show     logShow     `cmd:"" help:"Show one record, all of it."`
	Export   logExport   `cmd:"" help:"Write all records of a search into a file, as JSON, a table or Atlassian's events."`
	Rejected logRejected `cmd:"" help:"List what Elasticsearch refuses, which no search finds."`
	Retry    logRetry    `cmd:"" help:"Have them indexed again."`

	Acknowledge logAcknowledge `cmd:"" help:"Say that they were seen, so that the status is well again."`
}

// Help says where the filters are, and has the examples of the log.
func (logVerbs) Help() string {
	return "Without a verb it is `sallyport log list`, whose --help has all filters.\n\n" + logCommand{}.Help()
}

type logCommand struct {
	logFilters
	Count  bool `help:"Count them, by decision, outcome, assistant, person, operation and rule, instead of showing them." short:"c"`
	Follow bool `help:"Show the newest, oldest first, and go on with what is recorded from now on, until Ctrl-C." short:"f"`
	Limit  int  `help:"How many at most; with --follow, how many to begin with." default:"50" short:"n"`
	JSON   bool `help:"One JSON object a line, each a sallyport.activity.v1.Record with its own field names; 64-bit numbers are strings." name:"json"`
}

// Help is the examples of --help.
func (logCommand) Help() string {
	return `Each line is one thing an assistant tried to do. A call inside an execute tool shows that tool in brackets. An assistant that calls itself something else than it registered as is shown with both. Bytes are those of the request and of the answer. What doesn't fit the screen is cut or left out, arguments first: --json has all of it.

Filters are joined: a line has to pass all of them. With --follow the log goes on as it is recorded: a call that is still under way says so and isn't shown again; with --outcome it is shown when its outcome is known. With --count there are numbers instead of lines.

With --administrative, each line is something an admin did or tried to do with Sallyport itself. A viewer sees no arguments, and doesn't find records by them.

Examples:

  sallyport log
  sallyport log --since 1h --decision blocked
  sallyport log --user ana@acme.test --operation 'delete*'
  sallyport log --query "OPS-12" --limit 500
  sallyport log --group contractors --family write --product confluence --since 7d
  sallyport log --project OPS --outcome error
  sallyport log --rule "never delete" --since 2026-11-01 --until 2026-12-01
  sallyport log --follow --decision blocked
  sallyport log --follow --outcome error
  sallyport log --count --since 30d --user ana@acme.test
  sallyport log --administrative --operation 'policy.*' --since 30d
  sallyport log --since 7d --limit 10000 --json | jq -r '[.time, .user.email, .operation.name] | @tsv'`
}

// Validate refuses a limit that can't be.
func (l *logCommand) Validate() error {
	if l.Limit < 1 {
		return errors.New("--limit must be 1 or more")
	}
	if l.Follow && (l.Count || l.Until != (since{})) {
		return errors.New("--follow shows records when they come: leave out --count and --until")
	}
	return l.check()
}

// Run shows the records: as JSON page by page, so that any number can be shipped on; as a table
// once it has all, since their widths are its own.
func (l *logCommand) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	client := adminv1.NewActivityServiceClient(conn)
	request := l.request(time.Now())
	switch {
	case l.Count:
		return l.count(ctx, client, request, t)
	case l.Follow:
		return l.follow(ctx, client, request, t)
	}
	var records []*activityv1.Record
	withheld := false
	for left := l.Limit; left > 0; left = l.Limit - len(records) {
		request.PageSize = int32(min(left, maxPage))
		page, err := client.SearchActivity(ctx, request)
		if err != nil {
			return err
		}
		records = append(records, page.GetRecords()...)
		withheld = page.GetArgumentsWithheld() && !l.Administrative
		if l.JSON {
			err = writeRecords(t, page.GetRecords())
			if err != nil {
				return err
			}
		}
		request.PageToken = page.GetNextPageToken()
		if request.PageToken == "" {
			break
		}
	}
	if l.JSON {
		return nil
	}
	switch {
	case len(records) == 0:
		t.printf("%s\n", l.nothing())
	case l.Administrative:
		showActs(t, records, time.Now())
	default:
		showRecords(t, records, time.Now())
	}
	if request.PageToken != "" {
		t.printf("%s\n", t.paint("There are more: raise --limit, or narrow by --since, --user, --operation or --query; --count tells how many.", faint))
	}
	if withheld {
		sayWithheld(t)
	}
	return nil
}

func sayWithheld(t *terminal) {
	t.printf("%s\n", t.paint("Arguments are withheld, and weren't searched: you are a viewer, and an auditor may see them.", faint))
}

// nothing says what to do where there is nothing to show.
func (l *logCommand) nothing() string {
	if l.empty() {
		if l.Administrative {
			return "No admin has done anything yet that is indexed."
		}
		return "No assistant has done anything yet. Add the MCP URL that `sallyport status` shows to one, sign in, and call a tool."
	}
	return "Nothing matches. Leave out a filter, or look further back with --since."
}

func writeRecords(t *terminal, records []*activityv1.Record) error {
	form := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}
	for _, r := range records {
		err := writeLine(t, r, form)
		if err != nil {
			return err
		}
	}
	return nil
}

// writeLine writes a message as one line of JSON.
func writeLine(t *terminal, message proto.Message, form protojson.MarshalOptions) error {
	text, err := form.Marshal(message)
	if err != nil {
		return err
	}
	// protojson varies its blanks on purpose; scripts get one form.
	var line bytes.Buffer
	err = json.Compact(&line, text)
	if err != nil {
		return err
	}
	line.WriteByte('\n')
	_, err = t.out.Write(line.Bytes())
	return err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

type peopleErase struct {
	Person string `arg:"" help:"The person's Atlassian account id, or an e-mail address that records have."`
	Yes    bool   `help:"Do it: it can't be undone."`
	JSON   bool   `help:"Answer with one JSON object: pseudonym, records." name:"json"`
}

// Help is the examples of --help.
func (peopleErase) Help() string {
	return `Replaces the person in all records by a pseudonym: account id, name and e-mail addresses, and the IP addresses that they called from. What was done stays, with its arguments: these can name people in what was written in Jira and Confluence, and aren't changed. End the person's sign-ins first, by people forget. That it was done, and by whom, is a record.

Examples:

  sallyport people forget ana@acme.test
  sallyport people erase ana@acme.test --yes
  sallyport people erase 712020:4f0c7a52-8e1b-4d66-9a3c-1b7d5e20f9a1 --yes --json`
}

// Validate refuses a name that can't be, and what wasn't meant.
func (e *peopleErase) Validate() error {
	if strings.TrimSpace(e.Person) == "" {
		return errors.New("the person is missing")
	}
	if !e.Yes {
		return errors.New("replacing a person in all records can't be undone: say --yes if you mean it")
	}
	return nil
}

// Run replaces the person and says how far it is meanwhile.
func (e *peopleErase) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	stream, err := adminv1.NewErasureServiceClient(conn).ErasePerson(ctx, &adminv1.ErasePersonRequest{User: e.Person})
	if err != nil {
		return err
	}
	done, err := erased(stream, newProgress())
	if err != nil {
		return err
	}
	if e.JSON {
		return writeJSON(t.out, struct {
			Pseudonym string `json:"pseudonym"`
			Records   int64  `json:"records"`
		}{done.GetPseudonym(), done.GetRecords()})
	}
	t.printf("%s is %s now in %s. Nothing tells any more who that was.\n", printable(e.Person), done.GetPseudonym(), count(int(done.GetRecords()), "record"))
	return nil
}

// erased waits until it is done.
func erased(stream interface {
	Recv() (*adminv1.ErasePersonResponse, error)
}, p *progress) (*adminv1.ErasePersonResponse, error) {
	defer p.done()
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, advice("The service ended before it was done: run the command again.")
		}
		if err != nil || answer.GetDone() {
			return answer, err
		}
		p.say(fmt.Sprintf("%s changed", count(int(answer.GetRecords()), "record")))
	}
}

package main

import (
	"context"
	"errors"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

type logAcknowledge struct {
	IDs  []string `arg:"" optional:"" name:"id" help:"Their ids, from log rejected."`
	All  bool     `help:"All that are kept aside now."`
	JSON bool     `help:"Answer with one JSON object: acknowledged, gone." name:"json"`
}

// Help is the examples of --help.
func (logAcknowledge) Help() string {
	return `Says of what Elasticsearch will never take that you have seen it: the status is well again until something else is refused. The entries stay listed, with who said so and when, and can still be sent again; what is refused again is new. That it was done is a record.

Examples:

  sallyport log acknowledge 1764072000000-0
  sallyport log acknowledge --all
  sallyport log rejected`
}

// Validate refuses what says nothing, or two things.
func (a *logAcknowledge) Validate() error {
	if a.All == (len(a.IDs) > 0) {
		return errors.New("name entries by the ids that log rejected shows, or say --all")
	}
	return nil
}

// Run acknowledges the entries.
func (a *logAcknowledge) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewRejectedServiceClient(conn).AcknowledgeRejected(ctx, &adminv1.AcknowledgeRejectedRequest{Ids: a.IDs, All: a.All})
	if err != nil {
		return err
	}
	if a.JSON {
		return writeJSON(t.out, struct {
			Acknowledged int64 `json:"acknowledged"`
			Gone         int64 `json:"gone"`
		}{answer.GetAcknowledged(), answer.GetGone()})
	}
	if answer.GetAcknowledged() == 0 {
		t.printf("Nothing was to be acknowledged.\n")
	} else {
		t.printf("Acknowledged: %s. They stay in `sallyport log rejected`.\n", count64(answer.GetAcknowledged(), "entry"))
	}
	if answer.GetGone() > 0 {
		t.printf("Not kept aside, or no longer: %s of these.\n", groupDigits(answer.GetGone()))
	}
	return nil
}

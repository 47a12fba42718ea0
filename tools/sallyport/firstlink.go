package main

import (
	"context"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

type firstLinkCommand struct {
	JSON bool `help:"Answer with one JSON object: url, expires_at." name:"json"`
}

// Help is the examples of --help.
func (firstLinkCommand) Help() string {
	return `Makes a link for the first admin: whoever opens it, and signs in with their Atlassian account, becomes admin. It works once, for a day, and only as long as nobody has a role. Making it needs the token file.

Examples:

  sallyport first-link
  sallyport first-link --json | jq -r .url`
}

// Run makes the link, and shows it alone on standard output's last line.
func (f *firstLinkCommand) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewAccessServiceClient(conn).CreateFirstLink(ctx, &adminv1.CreateFirstLinkRequest{})
	if err != nil {
		return err
	}
	expires := answer.GetExpiresAt().AsTime()
	if f.JSON {
		return writeJSON(t.out, struct {
			URL       string    `json:"url"`
			ExpiresAt time.Time `json:"expires_at"`
		}{answer.GetUrl(), expires})
	}
	t.printf("Whoever opens this link first, and signs in, becomes admin. It works once, until %s:\n%s\n", expires.Local().Format(time.DateTime), answer.GetUrl())
	return nil
}

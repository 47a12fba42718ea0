package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

type tokensVerbs struct {
	Create tokensCreate `cmd:"" help:"Make a token for a program, such as CI."`
	List   tokensList   `cmd:"" help:"List the tokens, without what they are."`
	Revoke tokensRevoke `cmd:"" help:"End a token."`
}

// lifetime is for how long something works: 24h, 90d, 12w.
type lifetime time.Duration

// UnmarshalText reads it from the command line.
func (l *lifetime) UnmarshalText(text []byte) error {
	d, ok := readAgo(string(text))
	if !ok {
		return fmt.Errorf("%q is no time: write 12h, 90d or 8w", text)
	}
	*l = lifetime(d)
	return nil
}

type tokensCreate struct {
	Name    string   `arg:"" help:"What records and history call it: lower-case letters, digits, \".\", \"_\" and \"-\"."`
	Role    string   `required:"" enum:"viewer,auditor,admin" help:"viewer, auditor or admin." placeholder:"viewer|auditor|admin"`
	Expires lifetime `default:"90d" help:"For how long it works: 12h, 8w; 90d where it isn't said, 366d at most." placeholder:"TIME"`
	JSON    bool     `help:"Answer with one JSON object: name, role, token, expires_at." name:"json"`
}

// Help is the examples of --help.
func (tokensCreate) Help() string {
	return `The token is shown this once; Sallyport keeps only a hash of it. A viewer reads everything but arguments of calls, and may try policies: enough for checks of pull requests. Where CI puts the policy in force, it has to be an admin.

Examples:

  sallyport tokens create ci-check --role viewer
  sallyport tokens create ci-apply --role admin --expires 30d
  sallyport tokens create siem --role auditor --json | jq -r .token > siem.token`
}

// Validate refuses what is never taken.
func (c *tokensCreate) Validate() error {
	if c.Expires <= 0 {
		return errors.New("--expires must be more than nothing")
	}
	return nil
}

// Run makes the token, and shows it alone on standard output's last line.
func (c *tokensCreate) Run(ctx context.Context, at *connection, t *terminal) error {
	conn, err := at.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewAccessServiceClient(conn).CreateToken(ctx, &adminv1.CreateTokenRequest{
		Name: c.Name, Role: roleWords[c.Role], Lifetime: durationpb.New(time.Duration(c.Expires)),
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(t.out, struct {
			Name      string    `json:"name"`
			Role      string    `json:"role"`
			Token     string    `json:"token"`
			ExpiresAt time.Time `json:"expires_at"`
		}{c.Name, c.Role, answer.GetToken(), answer.GetExpiresAt().AsTime()})
	}
	t.printf("The token %s, with the role %s, works until %s. It is shown this once:\n%s\n",
		c.Name, c.Role, answer.GetExpiresAt().AsTime().Local().Format(time.DateTime), answer.GetToken())
	return nil
}

type tokensList struct {
	JSON bool `help:"One JSON object a line: name, role, state, created_by, created_at, last_used_at, expires_at, revoked_at, revoked_by." name:"json"`
}

// Help is the examples of --help.
func (tokensList) Help() string {
	return `Shows the live tokens, and those that ended within the last 30 days. The tokens of the token file aren't among them.

Examples:

  sallyport tokens list
  sallyport tokens list --json | jq -r 'select(.state == "live" and .last_used_at == null) | .name'`
}

// tokenText is a token as JSON.
type tokenText struct {
	Name       string     `json:"name"`
	Role       string     `json:"role"`
	State      string     `json:"state"`
	CreatedBy  string     `json:"created_by"`
	CreatedAt  *time.Time `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	RevokedBy  string     `json:"revoked_by"`
}

// Run lists the tokens.
func (l *tokensList) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewAccessServiceClient(conn).ListTokens(ctx, &adminv1.ListTokensRequest{})
	if err != nil {
		return err
	}
	shown := table{columns: []column{
		{title: "NAME", least: 8}, {title: "ROLE"}, {title: "STATE"}, {title: "CREATED", drop: 1}, {title: "BY", least: 8, drop: 2}, {title: "LAST USED"}, {title: "EXPIRES"},
	}}
	for _, token := range answer.GetTokens() {
		state, c := tokenState(token)
		if l.JSON {
			err = writeJSONLine(t.out, tokenText{
				token.GetName(), roleWord(token.GetRole()), state, token.GetCreatedBy(), timeOf(token.GetCreatedAt()),
				timeOf(token.GetLastUsedAt()), timeOf(token.GetExpiresAt()), timeOf(token.GetRevokedAt()), token.GetRevokedBy(),
			})
			if err != nil {
				return err
			}
			continue
		}
		shown.add(
			cell{text: token.GetName()}, cell{text: roleWord(token.GetRole())}, cell{text: state, tint: c}, cell{text: whenText(token.GetCreatedAt())},
			cell{text: token.GetCreatedBy()}, cell{text: whenText(token.GetLastUsedAt())}, cell{text: whenText(token.GetExpiresAt())},
		)
	}
	switch {
	case l.JSON:
	case len(answer.GetTokens()) == 0:
		t.printf("There are no tokens but those of the token file. Make one: sallyport tokens create NAME --role viewer\n")
	default:
		shown.write(t)
	}
	return nil
}

func tokenState(token *adminv1.ApiToken) (string, tint) {
	switch {
	case token.GetLive():
		return "live", green
	case token.GetRevokedAt() != nil:
		return "revoked", red
	}
	return "expired", yellow
}

func timeOf(at *timestamppb.Timestamp) *time.Time {
	if at == nil {
		return nil
	}
	moment := at.AsTime()
	return &moment
}

func whenText(at *timestamppb.Timestamp) string {
	if at == nil {
		return "never"
	}
	return at.AsTime().Local().Format("2006-01-02 15:04")
}

type tokensRevoke struct {
	Name string `arg:"" help:"The token's name."`
	JSON bool   `help:"Answer with one JSON object: name, revoked." name:"json"`
}

// Help is the examples of --help.
func (tokensRevoke) Help() string {
	return `Once the command has answered, every request with the token is refused.

Examples:

  sallyport tokens revoke ci-check`
}

// Run ends the token.
func (r *tokensRevoke) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = adminv1.NewAccessServiceClient(conn).RevokeToken(ctx, &adminv1.RevokeTokenRequest{Name: r.Name})
	if err != nil {
		return err
	}
	if r.JSON {
		return writeJSON(t.out, struct {
			Name    string `json:"name"`
			Revoked bool   `json:"revoked"`
		}{r.Name, true})
	}
	t.printf("The token %s is revoked: every request with it is refused from now on.\n", printable(r.Name))
	return nil
}

package main

import (
	"context"
	"errors"
	"strings"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

type peopleVerbs struct {
	Forget peopleForget `cmd:"" help:"End all sign-ins of a person."`
	Erase  peopleErase  `cmd:"" help:"Replace a person in all records by a pseudonym."`
}

type peopleForget struct {
	Person string `arg:"" help:"The person's e-mail address, or Atlassian account id."`
	JSON   bool   `help:"Answer with one JSON object: account_id, sessions, revocation, revocation_detail." name:"json"`
}

// Help is the examples of --help.
func (peopleForget) Help() string {
	return `Once the command has answered, every call by any assistant of the person is refused. The tokens that Sallyport holds for them are gone and revoked at Atlassian, as far as it answers; their groups and what they consented to are gone too. The log of what they did stays. They can sign in again: to keep somebody out, deny them by a rule with who: "user:EMAIL". To end one assistant only, see connections end.

Examples:

  sallyport people forget ana@acme.test
  sallyport people forget 712020:4f0c7a52-8e1b-4d66-9a3c-1b7d5e20f9a1
  sallyport people forget ana@acme.test --json | jq .sessions`
}

// Validate refuses a name that can't be.
func (f *peopleForget) Validate() error {
	if strings.TrimSpace(f.Person) == "" {
		return errors.New("the person's e-mail address is missing")
	}
	return nil
}

// Run ends the person's sign-ins and says how many there were.
func (f *peopleForget) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	defer saySlow("Atlassian is asked to revoke the person's tokens.")()
	answer, err := adminv1.NewConnectionServiceClient(conn).ForgetPerson(ctx, &adminv1.ForgetPersonRequest{User: f.Person})
	if err != nil {
		return err
	}
	if f.JSON {
		return writeJSON(t.out, struct {
			AccountID string `json:"account_id"`
			Sessions  int32  `json:"sessions"`
			revocationText
		}{answer.GetAccountId(), answer.GetSessions(), revocationOf(answer)})
	}
	f.show(t, answer)
	return nil
}

func (f *peopleForget) show(t *terminal, answer *adminv1.ForgetPersonResponse) {
	revoked := revocationOf(answer)
	if answer.GetSessions() == 0 {
		t.printf("%s wasn't signed in with any assistant.\n", printable(f.Person))
		if revoked.Revocation == "not_needed" {
			return
		}
	} else {
		t.printf("%s is signed out: %s ended, and every call of theirs is refused until they sign in again.\n",
			printable(f.Person), count(int(answer.GetSessions()), "sign-in"))
	}
	revoked.show(t)
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/tools/sallyport/doctor"
)

// doctorTimeout bounds asking the admin service, which gives Atlassian some seconds.
const doctorTimeout = 10 * time.Second

type doctorCommand struct {
	MCPURL     string `name:"mcp-url" help:"The URL that assistants connect to; without it the one that the admin API tells." placeholder:"URL"`
	ConsoleURL string `name:"console-url" help:"The URL of the console; without it the one that the admin API tells." placeholder:"URL"`
	Outside    bool   `help:"Whether to look at these URLs from this computer. Not where it is a container that reaches the admin service alone." default:"true" negatable:"" env:"SALLYPORT_DOCTOR_OUTSIDE"`
	JSON       bool   `help:"Answer with one JSON object: problems, how many; and findings (area, check, state: ok, problem or skipped, sentence, remedy)." name:"json"`
}

// Help is the examples of --help.
func (doctorCommand) Help() string {
	return `Goes the way of an assistant from outside: name, port, certificate, what answers, where one signs in, the clock. Then asks the admin service about its parts, and has it ask Atlassian now. Each check takes 10 seconds at most. It changes nothing, and sends no token to anybody but the admin API.

What can't be looked at is skipped, with the reason. Exits with 0 where nothing is wrong, 1 where something is, 3 where nothing could be looked at.

Examples:

  sallyport doctor
  sallyport doctor --mcp-url https://sallyport.acme.test/mcp
  sallyport doctor --no-outside
  sallyport doctor --json | jq -r '.findings[] | select(.state == "problem") | .remedy'`
}

// doctorText is what was found as JSON.
type doctorText struct {
	Problems int              `json:"problems"`
	Findings []doctor.Finding `json:"findings"`
}

// looked tells whether anything could be looked at.
func (d doctorText) looked() bool {
	return slices.ContainsFunc(d.Findings, func(f doctor.Finding) bool { return f.State != doctor.Skipped })
}

// Run looks at everything and shows what it finds.
func (d *doctorCommand) Run(ctx context.Context, c *connection, t *terminal) error {
	patient := doctor.Sallyport{MCPURL: d.MCPURL, ConsoleURL: d.ConsoleURL, Outside: d.Outside}
	here, err := findRunning()
	if patient.MCPURL == "" && c.Server == "" && err == nil {
		patient.MCPURL = here.MCPURL
	}
	conn, err := c.open()
	if err == nil {
		defer conn.Close()
		client := adminv1.NewStatusServiceClient(conn)
		patient.Status = func(ctx context.Context) (*adminv1.GetStatusResponse, *doctor.Unanswered) {
			return askStatus(ctx, client)
		}
	}
	patient.Unasked = err
	done := keepSaying("Looking at everything")
	findings := doctor.Examine(ctx, patient)
	done()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text := doctorText{Findings: findings}
	for _, f := range findings {
		if f.State == doctor.Problem {
			text.Problems++
		}
	}
	if d.JSON {
		err = writeJSON(t.out, text)
		if err != nil {
			return err
		}
	} else {
		showDiagnosis(t, text)
	}
	switch {
	case text.Problems > 0:
		return errShown
	case !text.looked():
		return advice("Nothing could be looked at. Name the MCP URL by --mcp-url, and the admin API by --server and --token-file.")
	}
	return nil
}

// askStatus asks the admin service how everything is, and to ask Atlassian now.
func askStatus(ctx context.Context, client adminv1.StatusServiceClient) (*adminv1.GetStatusResponse, *doctor.Unanswered) {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	answer, err := client.GetStatus(ctx, &adminv1.GetStatusRequest{AskAtlassian: true})
	var call *callError
	switch code := status.Code(err); {
	case err == nil:
		return answer, nil
	case code == codes.Unauthenticated:
		return nil, &doctor.Unanswered{
			Token: true, Fault: "The admin API doesn't take the token: it is none that Sallyport knows, was revoked, or has ended.",
			Remedy: "Name the file of another token by `--token-file`, or sign in by `sallyport login`.",
		}
	case code == codes.DeadlineExceeded:
		return nil, &doctor.Unanswered{Fault: fmt.Sprintf("The admin API doesn't answer within %v.", doctorTimeout), Remedy: startAdmin}
	case code == codes.PermissionDenied:
		return nil, &doctor.Unanswered{Token: true, Fault: capital(err.Error()), Remedy: "Have an admin give you the role viewer: `sallyport roles add viewer ...`."}
	case errors.As(err, &call):
		fault, remedy := call.divided()
		return nil, &doctor.Unanswered{Fault: capital(strings.TrimRight(fault, ".")) + ".", Remedy: capital(cmp.Or(remedy, startAdmin))}
	}
	// The login came to nothing before anything was sent.
	return nil, &doctor.Unanswered{Unsent: true, Fault: capital(sentence(err))}
}

const startAdmin = "Start admin and Envoy, and look into their logs; or name where the admin API is by `--server`."

// keepSaying says what is done and for how long, every two seconds until it is told to stop.
func keepSaying(what string) (stop func()) {
	p, began := newProgress(), time.Now()
	ticker, stopped, ended := time.NewTicker(progressLines), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ticker.C:
				p.say(fmt.Sprintf("%s, for %d seconds now", what, int(time.Since(began).Seconds())))
			case <-stopped:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(stopped)
		<-ended
		p.done()
	}
}

var doctorTints = map[doctor.State]tint{doctor.OK: green, doctor.Problem: red, doctor.Skipped: yellow}

// How wide the columns before a sentence are.
const (
	findingState = 9
	findingCheck = 15
)

// showDiagnosis shows each check in a line, with the remedy below it.
func showDiagnosis(t *terminal, text doctorText) {
	area := ""
	for i, f := range text.Findings {
		if f.Area != area {
			area = f.Area
			if i > 0 {
				t.printf("\n")
			}
			t.printf("%s\n", area)
		}
		name := pad(string(f.State), findingState)
		showBelow(t, t.paint(name, doctorTints[f.State])+pad(printable(f.Check), findingCheck), f.Sentence, plain)
		if f.Remedy != "" {
			showBelow(t, strings.Repeat(" ", findingState+findingCheck), "> "+f.Remedy, faint)
		}
	}
	verdict := "Nothing is wrong with what was looked at."
	switch {
	case !text.looked():
		return // the error says it
	case text.Problems == 1:
		verdict = "1 problem."
	case text.Problems > 1:
		verdict = fmt.Sprintf("%d problems. Begin with the first: others may come from it.", text.Problems)
	}
	t.printf("\n%s\n", verdict)
}

// showBelow shows a text in lines behind a head.
func showBelow(t *terminal, head, text string, c tint) {
	const indent = 2 + findingState + findingCheck
	for i, line := range broken(printable(text), t.width-indent) {
		if i > 0 {
			head = strings.Repeat(" ", findingState+findingCheck)
		}
		t.printf("%s\n", strings.TrimRight("  "+head+t.paint(line, c), " "))
	}
}

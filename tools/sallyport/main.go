// Command sallyport is the admin's command line: it reads and changes the policy, shows what
// assistants did, and tells how Sallyport is. It speaks to the admin API (sallyport.admin.v1).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command line. Each verb's Run is given what it needs of connection, terminal and ctx.
type cli struct {
	Connection  connection       `embed:"" group:"Where Sallyport is:"`
	Policy      policyVerbs      `cmd:"" help:"Read, try and change the rules."`
	Groups      groupsVerbs      `cmd:"" help:"See and refresh the groups that rules are about."`
	Connections connectionsVerbs `cmd:"" help:"See who has connected which assistant, and end that."`
	People      peopleVerbs      `cmd:"" help:"End people's sign-ins."`
	Roles       rolesVerbs       `cmd:"" help:"See and change who may use this API."`
	Tokens      tokensVerbs      `cmd:"" help:"Make, list and end tokens for programs."`
	Login       loginCommand     `cmd:"" help:"Sign in with your Atlassian account, as yourself."`
	Logout      logoutCommand    `cmd:"" help:"End the sign-in of login."`
	Whoami      whoamiCommand    `cmd:"" help:"Say as whom commands run, and with which role."`
	FirstLink   firstLinkCommand `cmd:"" help:"Make the link by which somebody becomes the first admin."`
	Log         logVerbs         `cmd:"" help:"Show what assistants did, or admins, newest first; or one record."`
	Alerts      alertsCommand    `cmd:"" help:"Show what was alerted of, newest first."`
	Stats       statsCommand     `cmd:"" help:"Count what assistants did, and compare it with the time before."`
	Status      statusCommand    `cmd:"" help:"Tell how every part of Sallyport is, and its URLs."`
	Doctor      doctorCommand    `cmd:"" help:"Find what is wrong, from outside in, and say what to do."`
}

// Help is what --help says below the verbs, with the examples that most people look for.
func (cli) Help() string {
	return `Run in the folder where Sallyport was started, it finds everything by itself. Elsewhere, say where it is by --server, or the variable behind it.

Commands present the token of --token-file, or of SALLYPORT_TOKEN_FILE. Without one they act as who you are by ` + "`sallyport login`" + `, and without a login by the token of the Sallyport that runs here.

Examples:

  sallyport doctor
  sallyport log --since 1h --decision blocked
  sallyport policy get > policy.yaml
  sallyport policy simulate policy.yaml --since 7d
  sallyport policy apply policy.yaml

Exit codes: 0 for yes or done, 1 for no (refused, different, failed, down), 2 for a command line that isn't understood, 3 where Sallyport can't be asked.`
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var line cli
	parser, err := kong.New(&line, kong.Name("sallyport"),
		kong.Description("The command line of Sallyport, the gateway between AI assistants and Atlassian."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&line.Connection, newTerminal(os.Stdout)))
	if err != nil {
		return fail(err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		about := "sallyport"
		if parse, ok := errors.AsType[*kong.ParseError](err); ok && parse.Context.Command() != "" {
			about += " " + parse.Context.Selected().FullPath()[len("sallyport "):]
		}
		fmt.Fprintf(os.Stderr, "sallyport: %v. `%s --help` has examples.\n", err, about)
		return exitUsage
	}
	if err = command.Run(); err != nil {
		return fail(err)
	}
	return 0
}

// Command supply looks at what Sallyport is made of: the licences of what is shipped, and whether something is known
// to be wrong with it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/alecthomas/kong"
)

const about = `Looks at what Sallyport is made of.

Examples:
  supply licences docs/licences.md            # write what is shipped, and by which licence
  supply licences docs/licences.md --check    # fail where that is out of date
  supply texts bin/sbom/licences.txt          # write their licences and notices
  supply audit                                # ask for known vulnerabilities
  supply audit --tolerate-unreachable         # and go on where there is nobody to ask`

var cli struct {
	Root     string   `help:"The top of the work tree." default:"." type:"existingdir"`
	Licences licences `cmd:"" help:"Write the licences of what is shipped; fails for one that isn't allowed."`
	Texts    texts    `cmd:"" help:"Write the texts of the licences and notices of what is shipped."`
	Audit    audit    `cmd:"" help:"Ask whether vulnerabilities are known in what is shipped. Exit code 1 if there are, or if nobody could be asked."`
}

func main() {
	chosen := kong.Parse(&cli, kong.Name("supply"), kong.Description(about), kong.UsageOnError())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	chosen.BindTo(ctx, (*context.Context)(nil))
	err := chosen.Run(tree(cli.Root))
	if err != nil {
		fmt.Fprintln(os.Stderr, "supply:", err)
		stop()
		os.Exit(1)
	}
}

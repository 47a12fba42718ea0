// Command envoyconf writes all that Envoy reads, before Envoy starts: its configuration filled in, the descriptor of
// the admin API and the console's pages. Compose runs it once.
package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"sallyport/tools/envoyconf"
)

const about = `Writes all that Envoy reads: its configuration, the descriptor of the admin API and the console's pages.

Examples:
  envoyconf --from envoy --into /etc/envoy --public-url https://sallyport.acme.test --console-url https://sallyport.acme.test:8443
  envoyconf --tls-dir /run/tls ...     # with fullchain.pem and privkey.pem there`

func main() {
	var s envoyconf.Settings
	kong.Parse(&s, kong.Name("envoyconf"), kong.Description(about), kong.UsageOnError())
	err := s.Write()
	if err != nil {
		fmt.Fprintln(os.Stderr, "envoyconf:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "Envoy's configuration is written to", s.Into)
}

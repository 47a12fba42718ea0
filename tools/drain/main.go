// Command drain lets the calls under way in an Envoy end before Envoy is stopped. It runs in Envoy's container, as
// what Kubernetes does before it stops that (preStop), since Envoy by itself breaks them off.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/alecthomas/kong"
)

const about = `Has Envoy say to its clients that they should connect anew, and returns when no call is under way, or when that takes too long.

Example:
  drain --least 15s --most 2m`

func main() {
	var d drain
	kong.Parse(&d, kong.Name("drain"), kong.Description(about), kong.UsageOnError())
	err := d.run(context.Background())
	if err != nil {
		// Kubernetes tells it as an event of the pod.
		fmt.Fprintln(os.Stderr, "drain:", err)
		os.Exit(1)
	}
}

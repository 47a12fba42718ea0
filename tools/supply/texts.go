package main

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// texts is the command that writes what licences ask to be handed on.
type texts struct {
	File string `arg:"" help:"The file to write, seen from where one is."`
}

// Run writes each part's licences and notices. npm packages have to be installed.
func (c texts) Run(ctx context.Context, t tree) error {
	modules, packages, err := t.shipped(ctx)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("Sallyport is under the Apache License 2.0. With it comes the work of others, under the licences below.\n")
	for _, p := range append(modules, packages...) {
		found, err := textsIn(p.folder, "LICENSE", "LICENCE", "COPYING", "NOTICE")
		if err != nil {
			return fmt.Errorf("%s: %w; make build installs what the console needs", p, err)
		}
		fmt.Fprintf(&b, "\n=== %s (%s)\n", p, p.licence)
		for _, text := range found {
			fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(text))
		}
	}
	return os.WriteFile(c.File, []byte(b.String()), 0o644)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// console is the folder of the console's pages.
const console = "services/console"

// allowed are the licences, by their SPDX names, under which something may be shipped with Sallyport, which is under
// the Apache License 2.0. MPL-2.0 asks for the source of its own files, which are shipped unchanged.
var allowed = map[string]bool{
	"0BSD": true, "Apache-2.0": true, "BSD-2-Clause": true, "BSD-3-Clause": true, "ISC": true, "MIT": true, "MIT-0": true, "MPL-2.0": true,
}

// licences is the command that writes them.
type licences struct {
	File  string `arg:"" help:"The file to write, seen from the top of the work tree."`
	Check bool   `help:"Compare with the file, and don't write it."`
}

// Run writes the file, or compares.
func (l licences) Run(ctx context.Context, t tree) error {
	modules, packages, err := t.shipped(ctx)
	if err != nil {
		return err
	}
	err = errors.Join(refuse(modules), refuse(packages))
	if err != nil {
		return err
	}
	text := page(modules, packages)
	file := filepath.Join(string(t), l.File)
	if !l.Check {
		return os.WriteFile(file, []byte(text), 0o644)
	}
	there, err := os.ReadFile(file)
	if err != nil || string(there) != text {
		return fmt.Errorf("%s isn't what is shipped now: run make licences, and look at what has changed", l.File)
	}
	return nil
}

// refuse is an error that names each part whose licence isn't allowed.
func refuse(parts []part) error {
	var refused []error
	for _, p := range parts {
		if !mayShip(p.licence) {
			refused = append(refused, fmt.Errorf("%s has the licence %q, which isn't one that may be shipped (tools/supply/licences.go)", p, p.licence))
		}
	}
	return errors.Join(refused...)
}

// mayShip reads an SPDX expression of names with AND or with OR between them. What has both is refused, so that
// somebody looks at it.
func mayShip(expression string) bool {
	expression = strings.TrimSuffix(strings.TrimPrefix(expression, "("), ")")
	every, either := strings.Split(expression, " AND "), strings.Split(expression, " OR ")
	if len(every) > 1 && len(either) > 1 {
		return false
	}
	for _, name := range either {
		if len(either) > 1 && allowed[name] {
			return true
		}
	}
	for _, name := range every {
		if !allowed[name] {
			return false
		}
	}
	return true
}

// page is docs/licences.md.
func page(modules, packages []part) string {
	var b strings.Builder
	b.WriteString("# Licences of what is shipped\n\nMade by `make licences`; `make lint` fails where it is out of date, or a licence isn't one that may be shipped\n" +
		"([supply-chain.md](supply-chain.md)). Sallyport itself is under the Apache License 2.0.\n\n## Go modules in the programs\n\n" +
		"Besides, Go's standard library is in each, under BSD-3-Clause.\n\n")
	table(&b, "module", modules)
	b.WriteString("\n## npm packages in the console\n\nThose that the console needs beside its pages' own files; of each the pages have what they use.\n\n")
	table(&b, "package", packages)
	return b.String()
}

func table(b *strings.Builder, kind string, parts []part) {
	fmt.Fprintf(b, "| %s | version | licence |\n|---|---|---|\n", kind)
	for _, p := range parts {
		fmt.Fprintf(b, "| %s | %s | %s |\n", p.name, p.version, p.licence)
	}
}

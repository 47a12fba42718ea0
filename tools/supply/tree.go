package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/google/licensecheck"
)

// tree is the folder of the work tree.
type tree string

// part is a module or package that is shipped, with its licence as an SPDX expression, and the folder that it is in here.
type part struct{ name, version, licence, folder string }

func (p part) String() string { return p.name + " " + p.version }

// samePart says whether two are, wherever they are.
func samePart(a, b part) bool { return a.String() == b.String() }

// output runs a command in a folder of the tree, and returns what it prints.
func (t tree) output(ctx context.Context, folder, program string, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = filepath.Join(string(t), folder)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		return out, fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, bytes.TrimSpace(complaints.Bytes()))
	}
	return out, nil
}

// shipped are the Go modules and the npm packages that are shipped.
func (t tree) shipped(ctx context.Context) (modules, packages []part, err error) {
	modules, err = t.goModules(ctx)
	if err != nil {
		return nil, nil, err
	}
	packages, err = t.npmPackages()
	return modules, packages, err
}

// goModules are the modules that are linked into the programs that are shipped.
func (t tree) goModules(ctx context.Context) ([]part, error) {
	out, err := t.output(ctx, ".", "deploy/shipped.sh", "go", "list", "-deps", "-f", `{{with .Module}}{{if and .Version (ne .Path "sallyport")}}{{.Path}}|{{.Version}}|{{.Dir}}{{end}}{{end}}`)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" })
	slices.Sort(lines)
	var parts []part
	for _, line := range slices.Compact(lines) {
		fields := strings.SplitN(line, "|", 3)
		if len(fields) < 3 || fields[2] == "" {
			return nil, fmt.Errorf("go list says %q, want a module, its version and its folder", line)
		}
		licence, err := licenceOf(fields[2])
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", fields[0], fields[1], err)
		}
		parts = append(parts, part{fields[0], fields[1], licence, fields[2]})
	}
	if len(parts) == 0 {
		return nil, errors.New("go list names no module")
	}
	return parts, nil
}

// enough is how much of a licence's text has to be known, in percent: what isn't are names and years.
const enough = 75

// licenceOf reads the files in a module's folder that have its licence. More than one mean all of them.
func licenceOf(folder string) (string, error) {
	texts, err := textsIn(folder, "LICENSE", "LICENCE", "COPYING")
	if err != nil {
		return "", err
	}
	var found []string
	for _, text := range texts {
		coverage := licensecheck.Scan([]byte(text))
		if coverage.Percent < enough {
			return "", fmt.Errorf("what begins with %.60q is no licence that is known", text)
		}
		for _, match := range coverage.Match {
			if !match.IsURL {
				found = append(found, match.ID)
			}
		}
	}
	if len(found) == 0 {
		return "", errors.New("it has no file with a licence")
	}
	slices.Sort(found)
	return strings.Join(slices.Compact(found), " AND "), nil
}

// textsIn are the files of a folder whose names begin so, in any case.
func textsIn(folder string, names ...string) ([]string, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, file := range files {
		begins := func(name string) bool { return strings.HasPrefix(strings.ToUpper(file.Name()), name) }
		if file.IsDir() || !slices.ContainsFunc(names, begins) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}

// npmPackages are the packages that the console's pages are made of, by its lock file: all but those for development.
// Of each the pages have what they use.
func (t tree) npmPackages() ([]part, error) {
	text, err := os.ReadFile(filepath.Join(string(t), console, "package-lock.json"))
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages map[string]struct {
			Version, License, Integrity string
			Dev                         bool
		} `json:"packages"`
	}
	err = json.Unmarshal(text, &lock, json.MatchCaseInsensitiveNames(true))
	if err != nil {
		return nil, fmt.Errorf("package-lock.json: %w", err)
	}
	var parts []part
	for place, p := range lock.Packages {
		if place != "" && p.Integrity == "" {
			return nil, fmt.Errorf("package-lock.json has no checksum of %s: make it anew with npm install", place)
		}
		if place != "" && !p.Dev {
			name := place[strings.LastIndex(place, "node_modules/")+len("node_modules/"):]
			parts = append(parts, part{name, p.Version, p.License, filepath.Join(string(t), console, place)})
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.String(), b.String()) })
	return slices.CompactFunc(parts, samePart), nil
}

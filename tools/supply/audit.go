package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// audit is the command that asks for known vulnerabilities.
type audit struct {
	TolerateUnreachable bool   `help:"Say what couldn't be checked since nobody could be asked, and don't fail for that."`
	Database            string `help:"Go's vulnerability database." env:"GOVULNDB" default:"https://vuln.go.dev"`
}

// errUnreachable is that there was nobody to ask, which says nothing of what would have been answered.
type errUnreachable struct{ what, why string }

func (e errUnreachable) Error() string {
	return fmt.Sprintf("NOT CHECKED: %s can't be asked (%s)", e.what, e.why)
}

// Run asks for the Go modules and the npm packages, each whatever is said of the other.
func (a audit) Run(ctx context.Context, t tree) error {
	var failed []error
	for _, ask := range []func(context.Context, tree) error{a.askGo, a.askShippedPackages, a.askAllPackages} {
		err := ask(ctx, t)
		unreachable, ok := errors.AsType[errUnreachable](err)
		switch {
		case ok && a.TolerateUnreachable:
			fmt.Println(unreachable)
		case err != nil:
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// askGo runs govulncheck, where its database is there.
func (a audit) askGo(ctx context.Context, t tree) error {
	err := a.reach(ctx)
	if err != nil {
		return err
	}
	root, err := filepath.Abs(string(t))
	if err != nil {
		return err
	}
	checker := filepath.Join(root, "bin", "govulncheck")
	_, err = t.output(ctx, "tools/supply/scan", "go", "build", "-o", checker, "golang.org/x/vuln/cmd/govulncheck")
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "deploy/shipped.sh", checker, "-db", a.Database)
	command.Dir, command.Stdout, command.Stderr = string(t), os.Stdout, os.Stderr
	err = command.Run()
	if err != nil {
		return fmt.Errorf("govulncheck, of the programs that are shipped: %w; it says above what to do", err)
	}
	fmt.Println("Go: no vulnerability is known in what the programs call.")
	return nil
}

// reach asks the database for its index, as govulncheck does first. One in a folder is there or not.
func (a audit) reach(ctx context.Context) error {
	if !strings.HasPrefix(a.Database, "http") {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(a.Database, "/")+"/index/db.json", nil)
	if err != nil {
		return err
	}
	const what = "Go's vulnerability database"
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return errUnreachable{what, err.Error()}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errUnreachable{what, a.Database + " answers " + response.Status}
	}
	return nil
}

func (a audit) askShippedPackages(ctx context.Context, t tree) error {
	out, err := t.output(ctx, console, "npm", "audit", "--json", "--omit=dev")
	known, err := readAudit(out, err)
	if err != nil {
		return err
	}
	if known > 0 {
		return fmt.Errorf("npm: %d of the packages in the console have known vulnerabilities: run npm audit --omit=dev in %s", known, console)
	}
	fmt.Println("npm: no vulnerability is known in the console's packages.")
	return nil
}

// askAllPackages tells of those for development too, which aren't shipped and so fail nothing.
func (a audit) askAllPackages(ctx context.Context, t tree) error {
	out, err := t.output(ctx, console, "npm", "audit", "--json")
	known, err := readAudit(out, err)
	if _, ok := errors.AsType[errUnreachable](err); ok {
		return nil // The packages that are shipped have said so.
	}
	if err == nil && known > 0 {
		fmt.Printf("npm: %d packages have known vulnerabilities, those for development included, which aren't shipped. For information: npm audit in %s says which.\n", known, console)
	}
	return err
}

// readAudit reads how many packages npm knows something of. Its exit code is 1 for that, and for a registry that can't be asked.
func readAudit(out []byte, failed error) (int, error) {
	var answer struct {
		Message  string `json:"message"`
		Metadata *struct {
			Vulnerabilities struct {
				Total int `json:"total"`
			} `json:"vulnerabilities"`
		} `json:"metadata"`
	}
	err := json.Unmarshal(out, &answer)
	switch {
	case err != nil:
		return 0, errors.Join(fmt.Errorf("npm audit says %.200q", out), failed)
	case answer.Metadata != nil:
		return answer.Metadata.Vulnerabilities.Total, nil
	case answer.Message != "":
		return 0, errUnreachable{"npm's registry", answer.Message}
	}
	return 0, errors.Join(fmt.Errorf("npm audit says neither what it knows nor why not: %.200q", out), failed)
}

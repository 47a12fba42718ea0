package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/policyfile"
)

type policyVerbs struct {
	Get        policyGet        `cmd:"" help:"Print the policy in force, or an older version."`
	Apply      policyApply      `cmd:"" help:"Put a policy in force, whole, from a file."`
	Diff       policyDiff       `cmd:"" help:"Show what is different between two policies."`
	Test       policyTest       `cmd:"" help:"Try cases of what a policy is to decide. Needs no Sallyport."`
	Explain    policyExplain    `cmd:"" help:"Tell what would be decided about a call, and why."`
	Simulate   policySimulate   `cmd:"" help:"Decide recorded calls again, by another policy."`
	Lint       policyLint       `cmd:"" help:"Find what is allowed in a policy and probably not meant."`
	Operations policyOperations `cmd:"" help:"List the operations that are known, or those that a pattern matches."`
	Review     policyReview     `cmd:"" help:"Say that you have seen which tools are new or changed."`
	History    policyHistory    `cmd:"" help:"Show who saved what when, newest first."`
	Rollback   policyRollback   `cmd:"" help:"Put an older version in force again, as a new version."`
}

// Help is what the verbs have in common.
func (policyVerbs) Help() string {
	return `A POLICY is a file in YAML or JSON, - for standard input, or the number of a version; left out, it is the policy in force. "sallyport policy apply --help" shows how rules are written.

Examples:

  sallyport policy get > policy.yaml
  sallyport policy lint policy.yaml
  sallyport policy test cases.yaml
  sallyport policy simulate policy.yaml --since 7d
  sallyport policy diff policy.yaml
  sallyport policy apply policy.yaml --message "Contractors only read"
  sallyport policy rollback 6`
}

type policyGet struct {
	Version int64  `arg:"" optional:"" help:"A version of the history; left out, the one in force."`
	Output  string `help:"The form: yaml or json." enum:"yaml,json" default:"yaml" short:"o"`
}

// Help is the examples of --help.
func (policyGet) Help() string {
	return `Both forms can be changed and given to "sallyport policy apply", which refuses them if another version is in force by then. Each rule has an id that stays with it when it is moved.

Examples:

  sallyport policy get
  sallyport policy get > policy.yaml
  sallyport policy get 6
  sallyport policy get --output json | jq '.rules[] | select(.effect == "deny")'`
}

// Validate refuses a version that can't be.
func (g *policyGet) Validate() error { return validVersion(g.Version) }

func validVersion(version int64) error {
	if version < 0 {
		return fmt.Errorf("%d is no version: they count from 1", version)
	}
	return nil
}

// Run prints the policy.
func (g *policyGet) Run(ctx context.Context, c *connection, t *terminal) error {
	conn, err := c.open()
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := adminv1.NewPolicyServiceClient(conn).GetPolicy(ctx, &adminv1.GetPolicyRequest{Version: g.Version})
	if err != nil {
		return err
	}
	if g.Output == "json" {
		return writeJSON(t.out, newPolicyText(answer.GetPolicy(), answer.GetVersion()))
	}
	text, err := policyYAML(answer)
	if err != nil {
		return err
	}
	_, err = t.out.Write(text)
	return err
}

// draft is a policy that a command is about: a file, a version, or the policy in force.
type draft struct {
	// file is nil for a version, which is 0 for the policy in force.
	file    *policyfile.File
	version int64
}

// readDraft reads what a command line names: the number of a version, a file, or nothing.
func readDraft(name string) (draft, error) {
	version, err := strconv.ParseInt(name, 10, 64)
	if name == "" || err == nil {
		return draft{version: version}, validVersion(version)
	}
	file, err := readPolicy(name)
	return draft{file: file}, err
}

// source is the policy as the API is asked about it.
func (d draft) source() *adminv1.PolicySource {
	if d.file != nil {
		return &adminv1.PolicySource{Source: &adminv1.PolicySource_Draft{Draft: policyMessage(d.file.Policy)}}
	}
	return &adminv1.PolicySource{Source: &adminv1.PolicySource_Version{Version: d.version}}
}

// String is what the policy is called.
func (d draft) String() string {
	switch {
	case d.file != nil:
		return d.file.Name
	case d.version > 0:
		return "version " + groupDigits(d.version)
	}
	return "the policy in force"
}

// blame turns the fields of a draft that the service refuses into places of its file.
func (d draft) blame(err error) error {
	if d.file == nil {
		return err
	}
	return blame(d.file, err)
}

// standardInput is what errors call it.
const standardInput = "standard input"

func readPolicy(name string) (*policyfile.File, error) {
	text, err := readInput(name)
	if err != nil {
		return nil, advice("The policy can't be read: %w. Name a file, the number of a version, or - for standard input.", err)
	}
	if name == "-" {
		name = standardInput
	}
	return policyfile.Read(name, text)
}

// readInput reads a file, or standard input where its name is -.
func readInput(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, policyfile.MaxBytes+1))
	}
	return readFile(name)
}

// readFile reads no more of a file than a policy may have.
func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, policyfile.MaxBytes+1))
}

func writeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// writeJSONLine writes one object on a line of its own.
func writeJSONLine(out io.Writer, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = out.Write(append(text, '\n'))
	return err
}

func count(n int, noun string) string { return count64(int64(n), noun) }

func count64(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return groupDigits(n) + " " + stem + "ies"
	}
	return groupDigits(n) + " " + noun + "s"
}

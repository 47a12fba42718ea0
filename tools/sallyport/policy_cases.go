package main

import (
	"errors"
	"io/fs"
	"os"

	"sallyport/services/policy"
	"sallyport/services/policyfile"
)

type policyTest struct {
	Files  []string `arg:"" name:"file" help:"Files of cases, YAML." type:"path"`
	Policy string   `help:"The policy file that suites without one are about." short:"p" placeholder:"FILE"`
	JSON   bool     `help:"Answer with one JSON object: passed, failed, and failures (file, line, name, want, got)." name:"json"`
}

// Help is the examples of --help.
func (policyTest) Help() string {
	return `A file has a suite of cases in each YAML document: a policy (or file: and a policy file beside it), and tests. A test is a tool's name, or a whole message, and what is to be decided: allowed, blocked or ungoverned, by which rule, and which rule only monitored. It is about Claude (verified) and ana@acme.test of the group developers, unless it says otherwise.

  policy:
    default: deny
    rules:
      - {operation: "read*", effect: allow}
  tests:
    - {operation: getJiraIssue, want: allowed, rule: 1}
    - name: inside an execute tool
      message: {method: tools/call, params: {name: execute, arguments: {name: deleteJiraIssue}}}
      want: blocked
    - {operation: editJiraIssue, client: {key: chatgpt, class: verified}, user: {email: bo@acme.test, groups: [contractors]}, want: blocked}

Each case that fails is shown with what it got. Exits with 1 if any failed. No Sallyport is asked.

Examples:

  sallyport policy test cases.yaml
  sallyport policy test --policy policy.yaml cases.yaml
  sallyport policy test deploy/policies/cases.yaml`
}

// failedCase is a case that got another answer, as JSON.
type failedCase struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Name string `json:"name"`
	Want answer `json:"want"`
	Got  answer `json:"got"`
}

type answer struct {
	Outcome policyfile.Outcome `json:"outcome"`
	Rule    int                `json:"rule"`
	Monitor int                `json:"monitor"`
}

// Run tries every case.
func (p *policyTest) Run(t *terminal) error {
	var fallback *policyfile.File
	if p.Policy != "" {
		file, err := readPolicy(p.Policy)
		if err != nil {
			return err
		}
		fallback = file
	}
	passed, failures := 0, []failedCase{}
	for _, name := range p.Files {
		of, failed, err := tryFile(name, fallback)
		if err != nil {
			return err
		}
		passed += of - len(failed)
		failures = append(failures, failed...)
	}
	if p.JSON {
		err := writeJSON(t.out, struct {
			Passed   int          `json:"passed"`
			Failed   int          `json:"failed"`
			Failures []failedCase `json:"failures"`
		}{passed, len(failures), failures})
		if err != nil {
			return err
		}
	} else {
		for _, f := range failures {
			t.printf("%s:%d: %s: want %s, got %s\n", printable(f.File), f.Line, printable(f.Name), policyfile.Answer(f.Want), policyfile.Answer(f.Got))
		}
		t.printf("%d passed, %d failed\n", passed, len(failures))
	}
	if len(failures) > 0 {
		return errShown
	}
	return nil
}

// tryFile tries the cases of a file, and returns how many there are and those that failed.
func tryFile(name string, fallback *policyfile.File) (int, []failedCase, error) {
	text, err := readFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil, advice("There is no file %s: name a file of cases. `sallyport policy test --help` shows one.", name)
	}
	if err != nil {
		return 0, nil, advice("The cases can't be read: %w.", err)
	}
	suites, err := policyfile.ReadCases(name, text, fallback, os.ReadFile)
	if err != nil {
		return 0, nil, err
	}
	tried, failed := 0, []failedCase{}
	for _, suite := range suites {
		engine, err := policy.Compile(&suite.Policy)
		if err != nil {
			return 0, nil, err
		}
		for _, c := range suite.Cases {
			tried++
			if got := c.Run(engine); got != c.Want {
				failed = append(failed, failedCase{name, c.Place.Line, c.Name, answer(c.Want), answer(got)})
			}
		}
	}
	return tried, failed, nil
}

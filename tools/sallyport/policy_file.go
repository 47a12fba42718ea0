package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
)

// policyFile is a policy as read from a file, with the places of its fields there.
type policyFile struct {
	name   string
	policy *policyv1.Policy
	// places are by the API's names of fields, such as rules[2].operation.
	places map[string]place
}

// place is a line and column, each counted from 1.
type place struct{ line, column int }

// problem is what is wrong at a place; column 0 stands for the whole line, line 0 for the file.
type problem struct {
	at       place
	sentence string
}

// fileError is all that is wrong with a file.
type fileError struct {
	name     string
	problems []problem
}

func (e *fileError) Error() string {
	lines := make([]string, len(e.problems))
	for i, p := range e.problems {
		where := e.name
		if p.at.line > 0 {
			where += ":" + strconv.Itoa(p.at.line)
		}
		if p.at.column > 0 {
			where += ":" + strconv.Itoa(p.at.column)
		}
		lines[i] = where + ": " + p.sentence
	}
	return strings.Join(lines, "\n")
}

// readPolicy reads a policy in YAML, of which JSON is a part. It refuses what it doesn't know,
// every problem with its place: a field that was misspelt must not be a rule that matches more.
func readPolicy(name string, text []byte) (*policyFile, error) {
	if len(text) > maxPolicyFile {
		return nil, &fileError{name, []problem{{sentence: fmt.Sprintf("The file is larger than %d MiB: a policy has 1,000 rules at most.", maxPolicyFile>>20)}}}
	}
	root, err := parseYAML(text)
	if err != nil {
		return nil, &fileError{name, []problem{*err}}
	}
	f := &policyFile{name: name, policy: &policyv1.Policy{}, places: map[string]place{}}
	r := &policyReader{file: f}
	r.readRoot(root)
	if len(r.problems) > 0 {
		return nil, &fileError{name, r.problems}
	}
	return f, nil
}

// place finds a field, or what it is in where the file doesn't have it.
func (f *policyFile) place(field string) place {
	for field != "" {
		at, ok := f.places[field]
		if ok {
			return at
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
	return place{1, 1}
}

// yamlError is how package yaml writes an error of syntax.
var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// parseYAML returns the top of the only document of a text.
func parseYAML(text []byte) (*yaml.Node, *problem) {
	if json.Valid(text) {
		text = jsonEscape.ReplaceAllFunc(text, unescape)
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) || err == nil && document.Content[0].ShortTag() == "!!null" && document.Content[0].Value == "" {
		return nil, &problem{place{}, "The file is empty: a policy has a default, and rules. `sallyport policy get` prints the one in force."}
	}
	if err != nil {
		return nil, syntaxProblem(err)
	}
	var second yaml.Node
	err = decoder.Decode(&second)
	if err == nil {
		return nil, &problem{place{second.Line, second.Column}, "A second document begins here: a file holds one policy."}
	}
	if !errors.Is(err, io.EOF) {
		return nil, syntaxProblem(err)
	}
	return document.Content[0], nil
}

// jsonEscape finds the escapes of JSON strings, pairs of surrogates as one.
var jsonEscape = regexp.MustCompile(`\\(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|.)`)

// unescape resolves the two escapes of JSON that package yaml doesn't know: \/ and surrogates.
func unescape(escape []byte) []byte {
	if len(escape) == len(`\/`) && escape[1] != '/' {
		return escape
	}
	var text string
	err := json.Unmarshal([]byte(`"`+string(escape)+`"`), &text)
	if err != nil {
		return escape
	}
	return []byte(text)
}

func syntaxProblem(err error) *problem {
	said := yamlError.FindStringSubmatch(err.Error())
	if said == nil {
		return &problem{sentence: err.Error()}
	}
	line, _ := strconv.Atoi(said[1])
	sentence := "This is neither YAML nor JSON: " + said[2] + "."
	if strings.Contains(said[2], "did not find expected alphabetic or numeric character") || strings.Contains(said[2], "unknown anchor") {
		sentence = `Put a pattern that begins with * into quotes, such as "*": without them YAML takes it for an alias.`
	}
	return &problem{place{line: line}, sentence}
}

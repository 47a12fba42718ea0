package policyfile

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
)

// parse returns the documents of a text in YAML, of which JSON is a part. Empty ones are left out.
func parse(name string, text []byte) ([]*yaml.Node, error) {
	if len(text) > MaxBytes {
		return nil, &Error{name, []Problem{{Sentence: fmt.Sprintf("The file is larger than %d MiB: a policy has 1,000 rules at most.", MaxBytes>>20)}}}
	}
	if json.Valid(text) {
		text = jsonEscape.ReplaceAllFunc(text, unescape)
	}
	var documents []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, &Error{name, []Problem{syntaxProblem(err)}}
		}
		root := document.Content[0]
		if root.ShortTag() != "!!null" || root.Value != "" {
			documents = append(documents, root)
		}
	}
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

// yamlError is how package yaml writes an error of syntax.
var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func syntaxProblem(err error) Problem {
	said := yamlError.FindStringSubmatch(err.Error())
	if said == nil {
		return Problem{Sentence: err.Error()}
	}
	line, _ := strconv.Atoi(said[1])
	sentence := "This is neither YAML nor JSON: " + said[2] + "."
	if strings.Contains(said[2], "did not find expected alphabetic or numeric character") || strings.Contains(said[2], "unknown anchor") {
		sentence = `Put a pattern that begins with * into quotes, such as "*": without them YAML takes it for an alias.`
	}
	return Problem{Place{Line: line}, sentence}
}

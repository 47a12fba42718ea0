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
			return nil, &Error{name, []Problem{syntaxProblem(text, err)}}
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

// anchorError is how it writes that a name after * isn't known, without saying where.
var anchorError = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)

func syntaxProblem(text []byte, err error) Problem {
	said := yamlError.FindStringSubmatch(err.Error())
	if said == nil {
		return Problem{Sentence: err.Error()}
	}
	number, _ := strconv.Atoi(said[1])
	at, message := Place{Line: number}, said[2]
	const unquoted = `Put a pattern that begins with * into quotes, such as "*": without them YAML takes it for an alias.`
	anchor := anchorError.FindStringSubmatch(message)
	switch {
	case anchor != nil:
		return Problem{placeOf(text, regexp.MustCompile(`(?:^|[\s,:\[{-])\*`+regexp.QuoteMeta(anchor[1])), at), unquoted}
	case strings.Contains(message, "did not find expected alphabetic or numeric character"):
		return Problem{at, unquoted}
	case message == "control characters are not allowed":
		at = placeOf(text, controls, at)
		message = "there is a control character, which can't be seen; remove it"
	case bytes.HasPrefix(bytes.TrimLeft(line(text, number), " "), []byte("\t")):
		message = "the line begins with a tab; indent with blanks"
	}
	return Problem{at, "This is neither YAML nor JSON: " + message + "."}
}

// controls finds what YAML doesn't allow in a text (YAML 1.2, section 5.1).
var controls = regexp.MustCompile(`[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]`)

// placeOf is the line where a text has something, or another place where it doesn't.
func placeOf(text []byte, something *regexp.Regexp, other Place) Place {
	found := something.FindIndex(text)
	if found == nil {
		return other
	}
	return Place{Line: 1 + bytes.Count(text[:found[1]], []byte("\n"))}
}

// line is one line of a text, counted from 1; empty where there is no such line.
func line(text []byte, number int) []byte {
	lines := bytes.Split(text, []byte("\n"))
	if number < 1 || number > len(lines) {
		return nil
	}
	return lines[number-1]
}

// Package policyfile reads policies as people write them, in YAML or JSON, and files of cases that
// say what a policy decides. It refuses what it doesn't know, each problem with its place: a field
// that was misspelt must not be a rule that matches more.
package policyfile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"sallyport/services/policy"
)

// MaxBytes bounds a file: what the admin API takes in one message.
const MaxBytes = 2 << 20

// File is a policy as a file says it.
type File struct {
	// Name is what the file is called in errors.
	Name string
	// Policy is valid. What the file leaves out is empty.
	Policy policy.Policy
	// Version is the version of the policy that the file was made from, 0 where it doesn't say.
	Version int64

	// places are by the names of fields in policy.Violation, such as rules[2].operation.
	places map[string]Place
}

// Place is a line and column, each counted from 1. Column 0 stands for the whole line, line 0 for
// the file.
type Place struct{ Line, Column int }

// Problem is what is wrong at a place.
type Problem struct {
	Place
	Sentence string
}

// Error is all that is wrong with a file.
type Error struct {
	Name     string
	Problems []Problem
}

// Error has a line for each problem: file, line and column as compilers write them, and a sentence.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		where := e.Name
		if p.Line > 0 {
			where += ":" + strconv.Itoa(p.Line)
		}
		if p.Column > 0 {
			where += ":" + strconv.Itoa(p.Column)
		}
		lines[i] = where + ": " + p.Sentence
	}
	return strings.Join(lines, "\n")
}

// Read reads a policy. Its error is an *Error with everything that is wrong.
func Read(name string, text []byte) (*File, error) {
	documents, err := parse(name, text)
	if err != nil {
		return nil, err
	}
	switch {
	case len(documents) == 0:
		return nil, &Error{name, []Problem{{Sentence: "The file is empty: a policy has a default, and rules. `sallyport policy get` prints the one in force."}}}
	case len(documents) > 1:
		second := documents[1]
		return nil, &Error{name, []Problem{{Place{second.Line, second.Column}, "A second document begins here: a file holds one policy."}}}
	}
	return readNode(name, documents[0])
}

// readNode reads a policy from a node of a file.
func readNode(name string, root *yaml.Node) (*File, error) {
	f := &File{Name: name, places: map[string]Place{}}
	r := &reader{file: f}
	r.readRoot(root)
	filled := policy.Policy{Default: f.Policy.Default, Rules: slices.Clone(f.Policy.Rules)}
	filled.Normalize()
	for _, v := range filled.Validate() {
		at, ok := f.places[v.Field]
		// What isn't in the file, or can't be read there, is said already.
		if ok && !slices.ContainsFunc(r.problems, func(p Problem) bool { return p.Place == at }) {
			r.problems = append(r.problems, Problem{at, v.Sentence + "."})
		}
	}
	return f, r.error(name)
}

// error is all that was found, in the order of the file; nil where nothing was.
func (r *reader) error(name string) error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Error{name, r.problems}
}

// Blame turns violations that somebody else found into an error with places of the file.
func (f *File) Blame(violations []policy.Violation) error {
	r := &reader{}
	for _, v := range violations {
		r.problems = append(r.problems, Problem{f.place(v.Field), strings.TrimRight(v.Sentence, ".") + "."})
	}
	return r.error(f.Name)
}

// place finds a field, or what it is in where the file doesn't have it.
func (f *File) place(field string) Place {
	for field != "" {
		at, ok := f.places[field]
		if ok {
			return at
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
	return Place{1, 1}
}

// Where is a field's place, as errors write it.
func (f *File) Where(field string) string {
	at := f.place(field)
	return fmt.Sprintf("%s:%d:%d", f.Name, at.Line, at.Column)
}

package policyfile

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"sallyport/services/policy"
)

// Suite is a policy and cases of what it decides: one document of a case file (the rule language,
// section 7).
type Suite struct {
	Policy policy.Policy
	// Source is the file that the policy is in.
	Source string
	Cases  []Case
}

// Case is one message and what is to be decided about it.
type Case struct {
	// Name is what people call it: its name in the file, else its operation or method.
	Name string
	// Place is where it begins in the case file.
	Place Place
	// Message is a JSON-RPC message.
	Message []byte
	Client  policy.Client
	Subject policy.Subject
	// Want is the answer.
	Want Answer
}

// The fields of a suite and of a case.
var (
	suiteFields  = []string{"policy", "file", "tests"}
	caseFields   = []string{"name", "operation", "arguments", "message", "client", "user", "want", "rule", "monitor"}
	clientFields = []string{"key", "name", "class"}
	userFields   = []string{"id", "email", "groups", "groups_known"}
)

// ReadCases reads a file of cases. A suite's policy is in it, or in the file that it names, seen from
// the folder of the case file; where it has neither it is fallback, which may be nil. open reads those
// files. The error is an *Error with everything that is wrong, or what open returns.
func ReadCases(name string, text []byte, fallback *File, open func(path string) ([]byte, error)) ([]Suite, error) {
	documents, err := parse(name, text)
	if err != nil {
		return nil, err
	}
	if len(documents) == 0 {
		return nil, &Error{name, []Problem{{Sentence: "The file is empty: it needs a policy, or a file that has one, and tests."}}}
	}
	r := &caseReader{name: name, fallback: fallback, open: open}
	var suites []Suite
	for _, document := range documents {
		suite, err := r.suite(document)
		if err != nil {
			return nil, err
		}
		suites = append(suites, suite)
	}
	return suites, r.error(name)
}

type caseReader struct {
	reader
	name     string
	fallback *File
	open     func(path string) ([]byte, error)
}

func (r *caseReader) suite(n *yaml.Node) (Suite, error) {
	fields := r.fields(n, "", "a suite", suiteFields)
	if fields == nil {
		return Suite{}, nil
	}
	suite, err := r.policy(n, fields)
	if err != nil {
		return suite, err
	}
	tests := fields["tests"]
	if tests == nil || tests.Kind != yaml.SequenceNode || len(tests.Content) == 0 {
		r.refuse(n, "The suite has no tests: add tests: and a list of cases, such as - {operation: deleteJiraIssue, want: blocked}.")
		return suite, nil
	}
	for _, test := range tests.Content {
		suite.Cases = append(suite.Cases, r.test(test))
	}
	return suite, nil
}

// policy finds the policy of a suite.
func (r *caseReader) policy(n *yaml.Node, fields map[string]*yaml.Node) (Suite, error) {
	inside, elsewhere := fields["policy"], fields["file"]
	switch {
	case inside != nil && elsewhere != nil:
		r.refuse(elsewhere, "The suite has a policy and names a file: keep one.")
	case inside != nil:
		file, err := readNode(r.name, inside)
		if wrong, ok := errors.AsType[*Error](err); ok {
			r.problems = append(r.problems, wrong.Problems...)
		}
		return Suite{Policy: file.Policy, Source: r.name}, nil
	case elsewhere != nil:
		path, ok := r.text(elsewhere, "file")
		if !ok {
			return Suite{}, nil
		}
		path = filepath.Join(filepath.Dir(r.name), filepath.FromSlash(path))
		text, err := r.open(path)
		if err != nil {
			r.refuse(elsewhere, "The policy can't be read: %v.", err)
			return Suite{}, nil
		}
		file, err := Read(path, text)
		if err != nil {
			return Suite{}, err
		}
		return Suite{Policy: file.Policy, Source: path}, nil
	case r.fallback != nil:
		return Suite{Policy: r.fallback.Policy, Source: r.fallback.Name}, nil
	default:
		r.refuse(n, "The suite has no policy: write it below policy:, name its file by file:, or give one by --policy.")
	}
	return Suite{}, nil
}

func (r *caseReader) test(n *yaml.Node) Case {
	c := Case{
		Place: Place{n.Line, n.Column},
		// The client and person of a case that doesn't say otherwise (the rule language, section 7).
		Client:  policy.Client{Key: "claude", Name: "Claude", Class: policy.Verified},
		Subject: policy.Subject{Email: "ana@acme.test", GroupsKnown: true, Groups: named("developers")},
	}
	fields := r.fields(n, "", "a case", caseFields)
	if fields == nil {
		return c
	}
	if name := fields["name"]; name != nil {
		c.Name, _ = r.text(name, "name")
	}
	r.message(n, fields, &c)
	if client := fields["client"]; client != nil {
		c.Client = r.client(client)
	}
	if user := fields["user"]; user != nil {
		r.user(user, &c.Subject)
	}
	if want := fields["want"]; want != nil {
		c.Want.Outcome = Outcome(r.word(want, "want", string(Allowed), string(Blocked), string(Ungoverned)))
	} else {
		r.refuse(n, "The case doesn't say what it wants: add want: allowed, blocked or ungoverned.")
	}
	c.Want.Rule, c.Want.Monitor = r.number(fields["rule"], "rule"), r.number(fields["monitor"], "monitor")
	return c
}

// message reads what is tried: an operation with its arguments, short for a tool call, or a message.
func (r *caseReader) message(n *yaml.Node, fields map[string]*yaml.Node, c *Case) {
	message := map[string]any{}
	switch short, whole := fields["operation"], fields["message"]; {
	case short != nil && whole != nil:
		r.refuse(whole, "The case has an operation and a message: keep one.")
		return
	case short != nil:
		operation, _ := r.text(short, "operation")
		c.Name = cmp.Or(c.Name, operation)
		params := map[string]any{"name": operation, "arguments": map[string]any{}}
		if arguments := fields["arguments"]; arguments != nil {
			params["arguments"] = r.object(arguments, "arguments")
		}
		message["method"], message["params"] = "tools/call", params
	case whole != nil:
		message = r.object(whole, "message")
		method, _ := message["method"].(string)
		c.Name = cmp.Or(c.Name, method)
	default:
		r.refuse(n, "The case has no operation: add operation: and a tool's name, or message: and a whole message.")
		return
	}
	if _, ok := message["jsonrpc"]; !ok {
		message["jsonrpc"] = "2.0"
	}
	method, _ := message["method"].(string)
	if _, ok := message["id"]; !ok && !strings.HasPrefix(method, "notifications/") {
		message["id"] = 1
	}
	text, err := json.Marshal(message)
	if err != nil {
		r.refuse(n, "This can't be written as JSON: %v.", err)
		return
	}
	c.Message = text
}

// object reads fields whatever they are called.
func (r *caseReader) object(n *yaml.Node, name string) map[string]any {
	object := map[string]any{}
	if n.Kind != yaml.MappingNode {
		r.refuse(n, "%s is %s: it must be fields with values.", name, kind(n))
		return object
	}
	err := n.Decode(&object)
	if err != nil {
		r.refuse(n, "%s can't be read: %v.", name, err)
	}
	return object
}

func (r *caseReader) client(n *yaml.Node) policy.Client {
	fields := r.fields(n, "", "a client", clientFields)
	c := policy.Client{Class: policy.Unknown}
	if fields == nil {
		return c
	}
	if key := fields["key"]; key != nil {
		c.Key, _ = r.text(key, "key")
	} else {
		r.refuse(n, "The client has no key: add one, such as key: claude.")
	}
	c.Name = c.Key
	if name := fields["name"]; name != nil {
		c.Name, _ = r.text(name, "name")
	}
	if class := fields["class"]; class != nil {
		c.Class = policy.Class(r.word(class, "class", string(policy.Verified), string(policy.Claimed), string(policy.Unknown)))
	}
	return c
}

func (r *caseReader) user(n *yaml.Node, s *policy.Subject) {
	fields := r.fields(n, "", "a user", userFields)
	for name, field := range fields {
		switch name {
		case "id":
			s.AccountID, _ = r.text(field, name)
		case "email":
			s.Email, _ = r.text(field, name)
		case "groups_known":
			s.GroupsKnown = r.truth(field, name)
		case "groups":
			s.Groups = nil
			if field.Kind != yaml.SequenceNode {
				r.refuse(field, "groups is %s: it must be a list of names, or [] for none.", kind(field))
				continue
			}
			for _, group := range field.Content {
				text, _ := r.text(resolve(group), "a group")
				s.Groups = append(s.Groups, named(text)...)
			}
		}
	}
}

// named is a group by a text that may be its id or its name.
func named(group string) []policy.Group { return []policy.Group{{ID: group, Name: group}} }

// number reads the number of a rule, 0 where there is none.
func (r *caseReader) number(n *yaml.Node, name string) int {
	if n == nil {
		return 0
	}
	number, err := strconv.Atoi(n.Value)
	if n.ShortTag() != "!!int" || err != nil || number < 1 {
		r.refuse(n, "%s is %s: it must be the number of a rule, counted from 1, or left out for none.", name, shown(n))
	}
	return number
}

// String is where a case is and what it is called.
func (c Case) String() string {
	return fmt.Sprintf("%d: %s", c.Place.Line, c.Name)
}

package main

import (
	stdcmp "cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	policyv1 "sallyport/proto/gen/go/sallyport/policy/v1"
)

// policyCase is a file of testdata/policy: a policy file, and below "=== want" what it holds, or
// what is wrong with it.
type policyCase struct{ name, text, want string }

func policyCases(tb testing.TB) []policyCase {
	tb.Helper()
	paths, err := filepath.Glob("testdata/policy/*.yaml")
	if err != nil || len(paths) == 0 {
		tb.Fatal("no cases", err)
	}
	var cases []policyCase
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		text, want, _ := strings.Cut(string(content), "=== want\n")
		cases = append(cases, policyCase{strings.TrimSuffix(filepath.Base(path), ".yaml"), text, want})
	}
	return cases
}

func TestReadPolicy(t *testing.T) {
	for _, test := range policyCases(t) {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			file, err := readPolicy("x.yaml", []byte(test.text))
			if err != nil {
				got = err.Error() + "\n"
			} else {
				got = inWords(file.policy)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// inWords is a policy with only what the file says, for comparison.
func inWords(p *policyv1.Policy) string {
	text := effectWords[p.GetDefaultEffect()] + "\n"
	for _, r := range p.GetRules() {
		text += effectWords[r.GetEffect()]
		for _, field := range []struct{ name, value string }{
			{"client", r.GetClient()}, {"who", r.GetWho()}, {"operation", r.GetOperation()}, {"note", r.GetNote()}, {"mode", modeWords[r.GetMode()]},
		} {
			if field.value != "" {
				text += " " + field.name + "=" + field.value
			}
		}
		if r.GetVerified() {
			text += " verified"
		}
		if r.GetId() != "" {
			text += " id=" + r.GetId()
		}
		text += "\n"
	}
	return text
}

// FuzzReadPolicy: any file is read or refused with a reason, and what was read is read again from
// what "sallyport policy get" would print.
func FuzzReadPolicy(f *testing.F) {
	for _, seed := range policyCases(f) {
		f.Add([]byte(seed.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := readPolicy("x.yaml", text)
		if err != nil {
			if err.Error() == "" {
				t.Error("refused without a reason")
			}
			return
		}
		// The service fills in what a file leaves out.
		for _, r := range file.policy.GetRules() {
			r.Client, r.Who, r.Operation = stdcmp.Or(r.GetClient(), "*"), stdcmp.Or(r.GetWho(), "any"), stdcmp.Or(r.GetOperation(), "*")
			r.Id = stdcmp.Or(r.GetId(), "abcdefgh")
			if r.GetMode() == policyv1.Mode_MODE_ENFORCE {
				r.Mode = policyv1.Mode_MODE_UNSPECIFIED
			}
		}
		printed, err := policyYAML(&adminv1.GetPolicyResponse{Policy: file.policy, Version: 1})
		if err != nil {
			t.Fatalf("printing what was read: %v", err)
		}
		again, err := readPolicy("printed.yaml", printed)
		if err != nil {
			t.Fatalf("what was printed isn't read again: %v\n%s", err, printed)
		}
		if diff := cmp.Diff(inWords(file.policy), inWords(again.policy)); diff != "" {
			t.Errorf("%s\n%s", diff, printed)
		}
	})
}

func TestReadPolicyRefusesALargeFile(t *testing.T) {
	_, err := readPolicy("x.yaml", make([]byte, maxPolicyFile+1))
	if err == nil || !strings.Contains(err.Error(), "larger than 2 MiB") {
		t.Errorf("got %v", err)
	}
}

func TestBlameFindsTheLine(t *testing.T) {
	file, err := readPolicy("x.yaml", []byte("default: allow\nrules:\n  - operation: \"delete*\"\n    effect: deny\n  - who: everybody\n    effect: deny\n"))
	if err != nil {
		t.Fatal(err)
	}
	details := &errdetails.BadRequest{}
	for _, field := range []string{"rules[1].who", "rules[1].client", "rules", "default", "rules[7].id", "", "a.b"} {
		details.FieldViolations = append(details.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: field, Description: "is wrong"})
	}
	refused, err := status.New(codes.InvalidArgument, "refused").WithDetails(details)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"x.yaml:5:10", "x.yaml:5:5", "x.yaml:3:3", "x.yaml:1:10", "x.yaml:3:3", "x.yaml:1:1", "x.yaml:1:1"}
	for i, at := range want {
		want[i] = at + ": is wrong"
	}
	got := file.blame(&callError{server: "localhost:1", err: refused.Err()}).Error()
	if diff := cmp.Diff(want, strings.Split(got, "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestBlameLeavesOtherErrors(t *testing.T) {
	other := &callError{server: "localhost:1", err: status.Error(codes.Aborted, "Version 2 is in force.")}
	got := (&policyFile{}).blame(other)
	if !errors.Is(got, error(other)) || fmt.Sprint(got) != "Version 2 is in force." {
		t.Errorf("got %v", got)
	}
}

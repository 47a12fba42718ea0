package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestReport compares the two runs in testdata, which differ in each way that they can, with what is
// to be said about them.
func TestReport(t *testing.T) {
	direct, err := readScenarios(filepath.Join("testdata", "direct"))
	if err != nil {
		t.Fatal(err)
	}
	through, err := readScenarios(filepath.Join("testdata", "through"))
	if err != nil {
		t.Fatal(err)
	}
	one := revision{Revision: "2026-07-28"}
	one.Rows, one.Differences = compare(direct, through)
	r := report{Revisions: []revision{one}}
	r.add(scenario{name: "stream", checks: []check{{ID: "held", Status: success}, {ID: "cimd", Status: "WARNING", Message: "There is\nnone."}}})
	if r.passes() {
		t.Error("it passes")
	}
	var got bytes.Buffer
	err = r.print(&got)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("testdata", "report.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%swant\n%s", &got, want)
	}
}

// TestPasses shows what is needed for a yes: nothing lost, and nothing left out.
func TestPasses(t *testing.T) {
	alike := []scenario{{name: "ping", checks: []check{{ID: "a", Status: success}, {ID: "b", Status: failure}}}}
	worse := []scenario{{name: "ping", checks: []check{{ID: "a", Status: "SKIPPED"}, {ID: "b", Status: success}}}}
	passed := scenario{checks: []check{{ID: "a", Status: success}, {ID: "b", Status: "WARNING"}}}
	for _, test := range []struct {
		name    string
		through []scenario
		alone   []scenario
		want    bool
	}{
		{"as directly", alike, []scenario{passed, passed, passed}, true},
		{"one is lost though as many pass", worse, []scenario{passed, passed, passed}, false},
		{"the scenario is lost", nil, []scenario{passed, passed, passed}, false},
		{"a scenario of Sallyport's is left out", alike, []scenario{passed, passed}, false},
		{"one was skipped", alike, []scenario{passed, passed, {checks: []check{{ID: "a", Status: "SKIPPED"}}}}, false},
		{"one fails in part", alike, []scenario{passed, passed, alike[0]}, false},
	} {
		var r report
		for range revisions {
			var one revision
			one.Rows, one.Differences = compare(alike, test.through)
			r.Revisions = append(r.Revisions, one)
		}
		for _, s := range test.alone {
			r.add(s)
		}
		if r.passes() != test.want {
			t.Errorf("%s: passes: %t", test.name, !test.want)
		}
	}
	if (report{}).passes() {
		t.Error("a report of nothing passes")
	}
}

func TestNoResults(t *testing.T) {
	_, err := readScenarios(t.TempDir())
	if err == nil {
		t.Error("a suite that has written nothing is taken for one that ran")
	}
}

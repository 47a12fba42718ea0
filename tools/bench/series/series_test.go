package series_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"sallyport/tools/bench/series"
)

// TestJudge shows what counts as growth.
func TestJudge(t *testing.T) {
	text, err := os.ReadFile("testdata/growth.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name          string
		Floor         float64
		Warm          *int
		Points        []float64
		First, Last   float64
		Judged, Grows bool
	}
	err = yaml.Unmarshal(text, &cases)
	if err != nil || len(cases) == 0 {
		t.Fatal(len(cases), err)
	}
	for _, c := range cases {
		s := series.Series{Floor: c.Floor, Warm: 2, Points: c.Points}
		if c.Warm != nil {
			s.Warm = *c.Warm
		}
		want := series.Verdict{First: c.First, Last: c.Last, Judged: c.Judged, Grows: c.Grows}
		if diff := cmp.Diff(want, s.Judge()); diff != "" {
			t.Errorf("%s: %s", c.Name, diff)
		}
		if grows := len(series.Growing([]series.Series{s})) == 1; grows != c.Grows {
			t.Errorf("%s: among those that grow: %v", c.Name, grows)
		}
	}
}

var some = []series.Series{
	{Kind: "memory", Of: "authz", Unit: "MiB", Floor: 16, Points: []float64{30, 31, 60, 61, 90, 91}},
	{Kind: "memory", Of: "envoy", Unit: "MiB", Floor: 16, Points: []float64{60, 60, 60, 60, 60, 60}},
	{Kind: "latency", Of: "p50", Unit: "ms", Floor: 1, Points: []float64{2, 2.5}},
	{Kind: "kept", Of: "records", MayGrow: true, Points: []float64{1, 1, 500, 500, 900, 900}},
	{Kind: "latency", Of: "nothing", Unit: "ms"},
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	series.Table(&out, some)
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"what of unit first third last third most may grow by",
		"memory authz MiB 30 90 91 16 GROWS",
		"memory envoy MiB 60 60 60 16 steady",
		"latency p50 ms - - 2.50 - too short to say",
		"kept records 1 900 900 any not judged",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestGrowing leaves out what may grow.
func TestGrowing(t *testing.T) {
	got := series.Growing(some)
	if len(got) != 1 || got[0].Of != "authz" {
		t.Errorf("%+v", got)
	}
}

package main

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/tools/sallyport/doctor"
)

func TestDoctorShows(t *testing.T) {
	var out bytes.Buffer
	showDiagnosis(&terminal{out: &out, width: 72}, doctorText{1, []doctor.Finding{
		{Area: doctor.MCP, Check: "name", State: doctor.OK, Sentence: "sallyport.acme.test is 192.0.2.7."},
		{Area: doctor.MCP, Check: "port", State: doctor.Problem, Sentence: "Nothing listens at sallyport.acme.test:443.\x1b[31m", Remedy: "Start Envoy, or what stands before it."},
		{Area: doctor.Admin, Check: "answer", State: doctor.Skipped, Sentence: "No Sallyport runs here."},
	}})
	const want = `MCP URL
  ok       name           sallyport.acme.test is 192.0.2.7.
  problem  port           Nothing listens at
                          sallyport.acme.test:443.�[31m
                          > Start Envoy, or what stands before it.

Admin API
  skipped  answer         No Sallyport runs here.

1 problem.
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// TestDoctorWithoutAnythingToLookAt runs it where no Sallyport is known.
func TestDoctorWithoutAnythingToLookAt(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("SALLYPORT_SERVER", "")
	t.Setenv("SALLYPORT_TOKEN_FILE", "")
	if code := run([]string{"doctor"}); code != exitUnable {
		t.Errorf("exits with %d, want %d", code, exitUnable)
	}
	if code := run([]string{"doctor", "--mcp-url", "sallyport.acme.test"}); code != exitNo {
		t.Errorf("exits with %d for what is no URL, want %d", code, exitNo)
	}
}

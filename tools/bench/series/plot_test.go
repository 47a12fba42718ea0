package series_test

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/tools/bench/series"
)

// TestPlot writes a small file for each kind that names its series.
func TestPlot(t *testing.T) {
	folder := t.TempDir()
	err := series.Plot(folder, some, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string][]string{"memory": {"memory, authz, MiB", "memory, envoy, MiB"}, "latency": {"latency, p50, ms"}, "kept": {"kept, records"}} {
		text, err := os.ReadFile(filepath.Join(folder, kind+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		var document struct {
			XMLName xml.Name
		}
		err = xml.Unmarshal(text, &document)
		if err != nil || document.XMLName.Local != "svg" {
			t.Errorf("%s.svg is %v: %v", kind, document.XMLName, err)
		}
		for _, title := range want {
			if !strings.Contains(string(text), title) {
				t.Errorf("%s.svg doesn't name %q", kind, title)
			}
		}
		if len(text) > 100_000 {
			t.Errorf("%s.svg has %d bytes", kind, len(text))
		}
	}
}

package activity_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"sallyport/services/internal/activity"
)

// TestTemplateVersion has each change of the mapping be another version: an accesslog leaves the template of a
// newer one, and couldn't tell it otherwise.
func TestTemplateVersion(t *testing.T) {
	mappings, version, err := activity.Fields()
	if err != nil {
		t.Fatal(err)
	}
	var fields any
	err = json.Unmarshal(mappings, &fields)
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(canonical)
	text, err := os.ReadFile("testdata/template-versions.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, fmt.Sprint(i+1, " ")) {
			t.Errorf("line %d is %q: versions are counted from 1, one a line", i+1, line)
		}
	}
	if want := fmt.Sprint(version, " ", hex.EncodeToString(sum[:8])); lines[len(lines)-1] != want {
		t.Errorf("template.json is %q, and the last version %q: raise the version in template.json by one, and add its line", want, lines[len(lines)-1])
	}
}

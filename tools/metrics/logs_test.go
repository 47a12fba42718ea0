package metrics_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	logRow = regexp.MustCompile("(?m)^\\| ``?(.+?)``? \\| ([A-Z, ]+) \\| [a-z]+ \\|([^|]*)\\|")
	// logCall is a line of the log in the code; note is authz's, which logs errors.
	logCall = regexp.MustCompile(`(?s)\.(Info|Warn|Error|note)\("([^"]+)"(.*?)\)\n`)
	// twoLines is where a sentence goes on in the next line of the code.
	twoLines = regexp.MustCompile(`"\s*\+\s*"`)
)

// TestLogLines looks for each line of the log that docs/operations.md has in the code, with its levels and fields.
func TestLogLines(t *testing.T) {
	type line struct {
		levels []string
		text   string
	}
	code := map[string]line{}
	for _, call := range logCall.FindAllStringSubmatch(twoLines.ReplaceAllString(serviceCode(t), ""), -1) {
		l := code[call[2]]
		level := strings.ToUpper(call[1])
		if level == "NOTE" {
			level = "ERROR"
		}
		code[call[2]] = line{append(l.levels, level), l.text + call[3]}
	}
	rows := logRow.FindAllStringSubmatch(read(t, "docs/operations.md"), -1)
	if len(rows) < 20 {
		t.Fatalf("docs/operations.md has %d lines of the log that this test can read: is its table another?", len(rows))
	}
	for _, row := range rows {
		is, ok := code[row[1]]
		if !ok {
			t.Errorf("nothing logs %q", row[1])
			continue
		}
		levels := strings.Split(row[2], ", ")
		for _, level := range levels {
			if !slices.Contains(is.levels, level) {
				t.Errorf("%q is logged with %v, and not with %s", row[1], is.levels, level)
			}
		}
		for _, level := range is.levels {
			if !slices.Contains(levels, level) {
				t.Errorf("%q is logged with %s too", row[1], level)
			}
		}
		for _, field := range quoted.FindAllStringSubmatch(row[3], -1) {
			if !strings.Contains(is.text, `"`+field[1]+`"`) {
				t.Errorf("%q has no field %s", row[1], field[1])
			}
		}
	}
}

// serviceCode is all Go code of the services but tests.
func serviceCode(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(filepath.Join("..", "..", "services"), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "node_modules":
			return fs.SkipDir
		case filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// Package docs_test holds the pages to what is there.
package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// goTest is a package below services, or one of tools, with a test of it, such as identity.TestRedirects.
	goTest = regexp.MustCompile("`([a-z][a-z0-9/]*)\\.((?:Test|Fuzz)[A-Za-z0-9]+)`")
	// consoleTest is a file of the console's tests, and a test in it.
	consoleTest = regexp.MustCompile("`([a-z]+\\.spec): ([^`]+)`")
	// dataCase is a data file below services, and what one of its cases says.
	dataCase = regexp.MustCompile("`([a-z0-9/]+/testdata/[a-z_-]+\\.(?:yaml|txt)): ([^`]+)`")
)

// TestSecurityIsShown fails for a claim of security.md without a test, and for a test that isn't there. Where
// something isn't tested, its row says so in these words.
func TestSecurityIsShown(t *testing.T) {
	text, err := os.ReadFile("security.md")
	if err != nil {
		t.Fatal(err)
	}
	shown, claims := false, 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		last := strings.TrimSpace(cells[len(cells)-1])
		switch {
		case !strings.HasPrefix(line, "|"):
			shown = false
		case last == "Shown by":
			shown = true
		case shown && !strings.HasPrefix(last, "---"):
			claims++
			if !names(last) && !strings.Contains(last, "not tested") {
				t.Errorf("no test is named for: %s", cells[0])
			}
		}
	}
	if claims < 60 {
		t.Errorf("only %d rows of the page are below \"Shown by\"", claims)
	}
	for _, m := range goTest.FindAllStringSubmatch(string(text), -1) {
		if !hasTest(t, m[1], m[2]) {
			t.Errorf("there is no %s in %s", m[2], m[1])
		}
	}
	for _, m := range consoleTest.FindAllStringSubmatch(string(text), -1) {
		want(t, filepath.Join("..", "services", "console", "test", m[1]+".ts"), `test("`+m[2]+`"`)
	}
	for _, m := range dataCase.FindAllStringSubmatch(string(text), -1) {
		want(t, filepath.Join("..", "services", m[1]), m[2])
	}
}

func names(text string) bool {
	return goTest.MatchString(text) || consoleTest.MatchString(text) || dataCase.MatchString(text)
}

// hasTest looks into the package of services, or of tools.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	if !strings.HasPrefix(folder, "tools/") {
		folder = "services/" + folder
	}
	files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}

func want(t *testing.T, file, words string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), words) {
		t.Errorf("%s has no %s: %v", file, words, err)
	}
}

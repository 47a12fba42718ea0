package parts

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// javaNeeded is the oldest Java that Elasticsearch 8 runs on.
const javaNeeded = 17

var javaVersion = regexp.MustCompile(`version "(\d+)`)

// javaHome returns the home of a Java that is new enough: $JAVA_HOME, or that of java on the PATH.
func javaHome(ctx context.Context) (string, error) {
	const remedy = "install one (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME to it"
	program := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		program = filepath.Join(home, "bin", "java")
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("Elasticsearch needs Java %d or later, and there is none: %s", javaNeeded, remedy)
	}
	out, err := exec.CommandContext(ctx, path, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("Elasticsearch needs Java %d or later, and %s doesn't run: %s", javaNeeded, path, remedy)
	}
	found := javaVersion.FindSubmatch(out)
	if found == nil {
		return "", fmt.Errorf("Elasticsearch needs Java %d or later, and %s doesn't say its version: %s", javaNeeded, path, remedy)
	}
	if major, _ := strconv.Atoi(string(found[1])); major < javaNeeded {
		return "", fmt.Errorf("Elasticsearch needs Java %d or later, and %s is Java %s: %s", javaNeeded, path, found[1], remedy)
	}
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Dir(filepath.Dir(path)), nil
}

//go:build statements

package authz_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// fewDecisions and manyDecisions are how many are made in two processes, whose difference is what decisions take without
// all that comes before and after them.
const fewDecisions, manyDecisions = 50, 250

// sizeVariable and numberVariable tell such a process how large the arguments are, and how many decisions to make.
const sizeVariable, numberVariable = "SALLYPORT_TEST_SIZE", "SALLYPORT_TEST_DECISIONS"

// TestStatements holds how many statements of Go a decision runs through, in Sallyport's packages, the one that reads
// JSON and the one that asks Redis, against what was accepted. They stand for instructions, which not every machine lets one count, and
// are the same on each. A change that is meant is written down by
//
//	make statements ACCEPT=-accept
func TestStatements(t *testing.T) {
	gated(t, "testdata/statements.yaml", "statements", func(size int) float64 {
		return float64(statements(t, size, manyDecisions)-statements(t, size, fewDecisions)) / (manyDecisions - fewDecisions)
	})
}

// TestDecisions makes decisions where TestStatements asks for them.
func TestDecisions(t *testing.T) {
	size, _ := strconv.Atoi(os.Getenv(sizeVariable))     // 0 where it isn't there
	number, _ := strconv.Atoi(os.Getenv(numberVariable)) // the same
	if number == 0 {
		return
	}
	decide := decider(t, size)
	for range number {
		decide()
	}
}

// statements is how many a process runs through that makes so many decisions.
func statements(t *testing.T, size, number int) (sum int64) {
	t.Helper()
	profile := filepath.Join(t.TempDir(), "profile")
	command := exec.Command(os.Args[0], "-test.run", "^TestDecisions$", "-test.coverprofile", profile)
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%d", sizeVariable, size), fmt.Sprintf("%s=%d", numberVariable, number))
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	file, err := os.Open(profile)
	must(t, err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		// After the place: how many statements there are, and how often they ran.
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 {
			continue // the first line names the mode
		}
		statements, err := strconv.ParseInt(fields[1], 10, 64)
		must(t, err)
		times, err := strconv.ParseInt(fields[2], 10, 64)
		must(t, err)
		sum += statements * times
	}
	must(t, lines.Err())
	return sum
}

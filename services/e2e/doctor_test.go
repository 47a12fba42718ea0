package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// brokenSetup is a row of testdata/doctor.yaml, and of the table in docs/doctor.md.
type brokenSetup struct {
	// Name says what is broken; breaks does it.
	Name string
	// Check is the area and the check that find it, Says and Remedy the sentence and what to do.
	Check, Says, Remedy string
	// Also are other checks that suffer from it.
	Also []string
}

// patient is how doctor is run for a set-up.
type patient struct {
	arguments, environment []string
	// names are pairs of what is replaced in what it says, by what the documentation says.
	names []string
	// varying are patterns of what isn't the same each time, and what the documentation says.
	varying map[string]string
}

// finding is what doctor --json says of a check.
type finding struct{ Area, Check, State, Sentence, Remedy string }

func brokenSetups(t *testing.T) []brokenSetup {
	t.Helper()
	text, err := os.ReadFile("testdata/doctor.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var setups []brokenSetup
	err = yaml.Unmarshal(text, &setups)
	if err != nil {
		t.Fatal(err)
	}
	return setups
}

// examine runs doctor, and returns its problems by check, and its exit code.
func (p patient) examine(t *testing.T) (problems map[string]finding, code int) {
	t.Helper()
	command := cliCommand(append([]string{"doctor", "--json"}, p.arguments...)...)
	command.Env = append(command.Env, p.environment...)
	out, err := command.Output()
	if _, ended := err.(*exec.ExitError); err != nil && !ended { //nolint:errorlint // it is the very error
		t.Fatal(err)
	}
	var said struct {
		Problems int
		Findings []finding
	}
	err = json.Unmarshal(out, &said)
	if err != nil {
		t.Fatalf("doctor %v says %s: %v", p.arguments, out, err)
	}
	problems = map[string]finding{}
	for _, f := range said.Findings {
		if f.State == "problem" {
			problems[f.Area+"/"+f.Check] = f
		}
	}
	if said.Problems != len(problems) {
		t.Errorf("doctor counts %d problems, and tells %v", said.Problems, problems)
	}
	return problems, command.ProcessState.ExitCode()
}

// TestDoctorFindsNothing looks at a Sallyport where all is well, before and after its first sign-in.
func TestDoctorFindsNothing(t *testing.T) {
	well(t)
	text := cli(t, "doctor")
	for _, line := range []string{"\nNothing is wrong with what was looked at.\n", "One signs in at http://localhost:19800.", "  ok       rovo  "} {
		if !strings.Contains(text, line) {
			t.Errorf("doctor doesn't say %q:\n%s", line, text)
		}
	}
	token, err := os.ReadFile(sallyport.AdminTokenFile)
	if err != nil || strings.Contains(text, strings.TrimSpace(string(token))) {
		t.Errorf("it shows the token, or that can't be read: %v", err)
	}
}

// well waits until doctor finds nothing wrong.
func well(t *testing.T) {
	t.Helper()
	eventually(t, 90*time.Second, func() error {
		problems, code := patient{}.examine(t)
		if code != 0 || len(problems) > 0 {
			return fmt.Errorf("doctor exits with %d and finds %v", code, problems)
		}
		return nil
	})
}

// TestDoctorFindsWhatIsBroken breaks a Sallyport in each way of testdata/doctor.yaml, and puts it right again.
func TestDoctorFindsWhatIsBroken(t *testing.T) {
	signIn(t, "bo@acme.test", "Codex", "http://127.0.0.1:3119/callback")
	well(t)
	for _, setup := range brokenSetups(t) {
		t.Run(setup.Name, func(t *testing.T) {
			doBreak := breaks[setup.Name]
			if doBreak == nil {
				t.Fatal("nothing breaks it: name it in breaks")
			}
			began := time.Now()
			p := doBreak(t)
			problems, code := p.examine(t)
			if code != 1 {
				t.Errorf("doctor exits with %d", code)
			}
			wanted := append([]string{setup.Check}, setup.Also...)
			for check, found := range problems {
				if !slices.Contains(wanted, check) {
					t.Errorf("%s is a problem too: %s", check, found.Sentence)
				}
			}
			found := problems[setup.Check]
			names := strings.NewReplacer(p.names...)
			says, remedy := names.Replace(found.Sentence), names.Replace(found.Remedy)
			for was, is := range p.varying {
				says = regexp.MustCompile(was).ReplaceAllString(says, is)
			}
			if says != setup.Says || remedy != setup.Remedy {
				t.Errorf("%s\n says: %s\n want: %s\n remedy: %s\n want:   %s", setup.Check, says, setup.Says, remedy, setup.Remedy)
			}
			t.Logf("found after %v", time.Since(began).Round(time.Millisecond))
		})
		if strings.HasPrefix(setup.Check, "Atlassian/") {
			// What was seen last counts.
			signIn(t, "bo@acme.test", "Codex", "http://127.0.0.1:3119/callback")
		}
	}
	well(t)
}

// TestDoctorsTable holds docs/doctor.md to what is tested.
func TestDoctorsTable(t *testing.T) {
	var table strings.Builder
	table.WriteString("| what is broken | check | what doctor says | and what to do |\n|---|---|---|---|\n")
	for _, s := range brokenSetups(t) {
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", s.Name, strings.Replace(s.Check, "/", ": ", 1), s.Says, s.Remedy)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "doctor.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), table.String()) {
		t.Errorf("docs/doctor.md has another table than testdata/doctor.yaml. Put this there:\n%s", table.String())
	}
}

// supervise has process-compose stop or start a part.
func supervise(t *testing.T, verb, part string) {
	t.Helper()
	out, err := exec.Command(filepath.Join(bin, "process-compose"), "--use-uds", "--unix-socket", filepath.Join(runDir, "pc.sock"),
		"--log-file", filepath.Join(runDir, "logs", "process-compose-client.log"), "process", verb, part).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", verb, part, err, out)
	}
}

// stopped is a break that stops a part until the test ends and doctor finds nothing wrong any more.
func stopped(part string) func(*testing.T) patient {
	return func(t *testing.T) patient {
		t.Helper()
		supervise(t, "stop", part)
		t.Cleanup(func() {
			supervise(t, "start", part)
			well(t)
		})
		return patient{}
	}
}

// switched is a break by a switch of the stand-in for Atlassian.
func switched(switches string) func(*testing.T) patient {
	return func(t *testing.T) patient {
		t.Helper()
		t.Cleanup(func() {
			err := switchAtlassian(http.MethodPost, "/reset", "")
			if err != nil {
				t.Error(err)
			}
		})
		err := switchAtlassian(http.MethodPatch, "/", switches)
		if err != nil {
			t.Fatal(err)
		}
		return patient{}
	}
}

// configured is a break by a setting of Redis.
func configured(setting, value, back string) func(*testing.T) patient {
	return func(t *testing.T) patient {
		t.Helper()
		redis := openRedis(t)
		t.Cleanup(func() {
			err := redis.ConfigSet(context.Background(), setting, back).Err()
			if err != nil {
				t.Error(err)
			}
		})
		err := redis.ConfigSet(t.Context(), setting, value).Err()
		if err != nil {
			t.Fatal(err)
		}
		return patient{}
	}
}

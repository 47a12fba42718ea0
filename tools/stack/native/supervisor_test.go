package native

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// supervisorScript stands for process-compose: it lists what list.json in the run folder says.
const supervisorScript = `#!/bin/sh
case "$*" in
up\ *) while :; do sleep 0.1; done ;;
*process\ list*) cat '%RUN%/list.json' ;;
*down) kill "$(cat '%RUN%/supervisor.pid')" ;;
esac
`

// supervised is a stack whose supervisor is the script, and whose parts are what it lists.
func supervised(t *testing.T, list string) Stack {
	t.Helper()
	s := newStack(t, Rovo())
	envoy := filepath.Join(s.Root, "envoy", "envoy.yaml")
	s.Root = filepath.Join(s.RunDir, "root")
	text, err := os.ReadFile(envoy)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.Root, "envoy", "envoy.yaml"), string(text))
	write(t, filepath.Join(s.Root, "bin", "process-compose"), strings.ReplaceAll(supervisorScript, "%RUN%", s.RunDir))
	write(t, s.path("list.json"), list)
	s.Parts.ElasticsearchHome = filepath.Join(s.RunDir, "elasticsearch")
	for _, name := range []string{"jvm.options", "log4j2.properties"} {
		write(t, filepath.Join(s.Parts.ElasticsearchHome, "config", name), "")
	}
	t.Cleanup(func() {
		err := s.Down()
		if err != nil {
			t.Error("stopping:", err)
		}
	})
	return s
}

func TestPartThatKeepsStopping(t *testing.T) {
	s := supervised(t, `[{"name":"redis","is_running":true},{"name":"identity","status":"Restarting","restarts":6}]`)
	write(t, s.path("logs", "identity.log"), "starting\nthere is no seal key\n")
	err := s.Up(t.Context())
	wantError(t, err, "identity keeps stopping", s.path("logs", "identity.log"), "ends with: there is no seal key")
	if s.supervisor() != 0 {
		t.Error("what was started still runs")
	}
	if _, err := os.Stat(s.path("state.json")); err == nil {
		t.Error("there is a state.json")
	}
}

func TestInterruptedStartStopsEverything(t *testing.T) {
	s := supervised(t, `[{"name":"redis","status":"Pending"}]`)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	err := s.Up(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || s.supervisor() != 0 {
		t.Errorf("got %v, and process %d runs", err, s.supervisor())
	}
}

func TestStateIsKeptTrue(t *testing.T) {
	s := supervised(t, `[{"name":"authz","is_running":true,"pid":11},{"name":"state","is_running":true,"pid":12}]`)
	err := s.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantPIDs(t, s, map[string]int{"authz": 11})
	ctx, cancel := context.WithCancel(t.Context())
	watching := make(chan error, 1)
	go func() { watching <- s.Watch(ctx) }()
	write(t, s.path("list.json"), `[{"name":"authz","is_running":true,"pid":21}]`)
	wantPIDs(t, s, map[string]int{"authz": 21})
	cancel()
	err = <-watching
	if err != nil {
		t.Error(err)
	}
	err = s.Preflight()
	if !errors.Is(err, ErrRunning) {
		t.Errorf("a second start isn't refused: %v", err)
	}
	wantError(t, s.Clean(), "running", "make down")
	err = s.Down()
	if err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.path("state.json")); err == nil {
		t.Error("state.json is still there")
	}
}

func TestRunEndsWhenAPartDiesForGood(t *testing.T) {
	s := supervised(t, `[{"name":"envoy","is_running":true,"pid":11}]`)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(t.Context()) }()
	wantPIDs(t, s, map[string]int{"envoy": 11})
	write(t, s.path("list.json"), `[{"name":"envoy","status":"Completed"}]`)
	select {
	case err := <-ended:
		wantError(t, err, "envoy keeps stopping")
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on")
	}
}

// wantPIDs waits a few seconds for state.json to have these process ids.
func wantPIDs(t *testing.T, s Stack, want map[string]int) {
	t.Helper()
	var got state
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		text, err := os.ReadFile(s.path("state.json"))
		if err == nil {
			got = state{}
			err = json.Unmarshal(text, &got)
		}
		if err == nil && maps.Equal(got.PIDs, want) {
			return
		}
	}
	t.Fatalf("state.json has %v, want %v", got.PIDs, want)
}

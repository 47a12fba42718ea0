package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// afterwards is a policy that is saved after the backup.
const afterwards = "default: deny\n"

// backup backs everything up while it runs, changes what can be changed, loses all volumes, and restores.
func (t *trial) backup(ctx context.Context) error {
	records, err := t.log(ctx)
	if err != nil {
		return err
	}
	// What is decided while accesslog is away is in Redis alone.
	err = t.do(ctx, "stop", "accesslog")
	if err != nil {
		return err
	}
	for _, token := range t.people {
		err = t.blocked(ctx, token)
		if err != nil {
			return err
		}
	}
	state, err := t.state(ctx)
	if err != nil {
		return err
	}
	folder := filepath.Join(filepath.Dir(t.source), "backup")
	err = t.script(ctx, "backup.sh", folder)
	if err != nil {
		return err
	}
	err = errors.Join(t.unsealed(folder), t.refused(ctx, folder, "there is a Sallyport already"), t.change(ctx), t.lose(ctx))
	if err != nil {
		return err
	}
	err = t.script(ctx, "restore.sh", folder)
	if err == nil {
		err = t.up(ctx)
	}
	if err != nil {
		return err
	}
	return t.restored(ctx, state, records)
}

// restored looks whether all is as it was when it was backed up, and goes on.
func (t *trial) restored(ctx context.Context, state string, records map[string]string) error {
	now, err := t.state(ctx)
	if err != nil {
		return err
	}
	if now != state {
		return fmt.Errorf("after the restore there is something else:\n%s\nbefore:\n%s", now, state)
	}
	// Those that waited in Redis are indexed now, and nothing else is there.
	err = t.recorded(ctx)
	if err != nil {
		return err
	}
	restored, err := t.log(ctx)
	if err != nil {
		return err
	}
	if len(restored) != t.called {
		return fmt.Errorf("%d calls were made before the backup, and there are records of %d", t.called, len(restored))
	}
	for id, record := range records {
		if restored[id] != record {
			return fmt.Errorf("a record is another one after the restore:\n%s\nbefore:\n%s", restored[id], record)
		}
	}
	t.say("  the policy, its history, roles and all %d records are there, those that waited too", t.called)
	// The first one's tokens are still good at Atlassian, so that a whole call shows that they could be opened. The other
	// one was forgotten after the backup.
	err = errors.Join(t.call(ctx, t.people[0]), t.blocked(ctx, t.people[1]))
	if err == nil {
		err = t.recorded(ctx)
	}
	if err != nil {
		return err
	}
	t.say("  those who were signed in still are, and %d calls have their records", t.called)
	return t.ready(ctx)
}

// state is what Redis has, as far as admins see it.
func (t *trial) state(ctx context.Context) (string, error) {
	var all strings.Builder
	for _, arguments := range [][]string{{"policy", "get"}, {"policy", "history"}, {"roles", "get"}} {
		out, err := t.command(ctx, arguments...)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&all, "%s\n", out)
	}
	return all.String(), nil
}

// log is all records by their ids. None may be there twice.
func (t *trial) log(ctx context.Context) (map[string]string, error) {
	out, err := t.command(ctx, "log", "--limit", "1000", "--json")
	if err != nil {
		return nil, err
	}
	records := map[string]string{}
	for line := range strings.Lines(string(out)) {
		var record struct{ ID string }
		err = json.Unmarshal([]byte(line), &record)
		if err != nil {
			return nil, fmt.Errorf("reading the log: %w: %s", err, line)
		}
		if records[record.ID] != "" {
			return nil, fmt.Errorf("the record %s is there twice", record.ID)
		}
		records[record.ID] = line
	}
	return records, nil
}

// script runs one of deploy on the folder of the backup.
func (t *trial) script(ctx context.Context, name, folder string) error {
	command := exec.CommandContext(ctx, filepath.Join(t.source, "deploy", name), folder)
	command.Env = append(t.docker.environment(), "COMPOSE_ENV_FILES=try.env,test.env")
	return t.docker.do(command, t.logFile("compose"))
}

// unsealed finds secrets in clear in the backup.
func (t *trial) unsealed(folder string) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var texts []string
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			return err
		}
		t.say("  %s: %d bytes", file.Name(), len(text))
		texts = append(texts, string(text))
	}
	return t.searchSecrets(texts...)
}

// refused has restore.sh refuse to restore, with a sentence.
func (t *trial) refused(ctx context.Context, folder, sentence string) error {
	err := t.script(ctx, "restore.sh", folder)
	if err == nil || !strings.Contains(err.Error(), sentence) {
		return fmt.Errorf("restore.sh should say that %s: %w", sentence, err)
	}
	return nil
}

// change does after the backup what a restore undoes: another policy, somebody forgotten, and a call.
func (t *trial) change(ctx context.Context) error {
	err := t.do(ctx, "start", "accesslog")
	if err != nil {
		return err
	}
	file := filepath.Join(t.source, "afterwards.yaml")
	err = os.WriteFile(file, []byte(afterwards), 0o600)
	if err != nil {
		return err
	}
	err = t.blocked(ctx, t.people[0])
	if err != nil {
		return err
	}
	t.called--
	_, err = t.command(ctx, "policy", "apply", file)
	if err == nil {
		_, err = t.command(ctx, "people", "forget", "bo@acme.test")
	}
	return err
}

// lose takes everything down with its volumes, but for the stand-in, which is Atlassian: it isn't on the machine that
// is lost, and keeps in memory whose tokens are good.
func (t *trial) lose(ctx context.Context) error {
	command := t.compose(ctx, "down", "--volumes")
	command.Env = append(command.Env, "COMPOSE_PROFILES=cli")
	err := t.docker.do(command, t.logFile("compose"))
	if err != nil {
		return err
	}
	left, err := t.docker.command(ctx, "volume", "ls", "--quiet").Output()
	if err == nil && len(left) > 0 {
		return fmt.Errorf("there are still volumes: %s", left)
	}
	return err
}

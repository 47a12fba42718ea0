package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBackupScripts has backup.sh and restore.sh say in a sentence what is wrong, before they do anything. Where nothing
// is, they fail for want of a Docker.
func TestBackupScripts(t *testing.T) {
	const (
		key, another = "a key\n", "another key\n"
		noDocker     = "restore.sh: Redis' container doesn't start: Docker says above why."
	)
	changed, few := backupOf(key), backupOf(key)
	changed["seal.key.sha256"] += "changed"
	delete(few, "seal.key.sha256")
	for name, test := range map[string]struct {
		script string
		// key is in seal.key, and files in the folder that is the first argument.
		key   string
		files map[string]string
		more  []string
		says  string
	}{
		"a new folder":              {"backup.sh", key, nil, nil, "backup.sh: Docker Compose says above why it doesn't know what is running."},
		"two folders":               {"backup.sh", key, nil, []string{"two"}, "backup.sh: name one folder; --help has examples."},
		"a folder that isn't empty": {"backup.sh", key, map[string]string{"redis.rdb": "older"}, nil, "isn't empty: name a new folder."},
		"no Sallyport":              {"backup.sh", "", nil, nil, "deploy/secrets/seal.key isn't there, so this isn't where Sallyport runs."},
		"half a backup":             {"restore.sh", key, map[string]string{"redis.rdb": ""}, nil, "has no whole backup: there is no SHA256SUMS in it."},
		"a changed file":            {"restore.sh", key, changed, nil, "isn't as backup.sh has written it"},
		"a file too few":            {"restore.sh", key, few, nil, "isn't as backup.sh has written it"},
		"no secrets":                {"restore.sh", "", backupOf(key), nil, "restore.sh: put the secrets that belong to this backup into "},
		"another key":               {"restore.sh", another, backupOf(key), nil, "deploy/secrets/seal.key isn't the one of this backup"},
		"its key":                   {"restore.sh", key, backupOf(key), nil, noDocker},
		"its key, rotated since":    {"restore.sh", another + "\n" + strings.TrimSpace(key), backupOf(key), nil, noDocker},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			deploy, folder := filepath.Join(root, "deploy"), filepath.Join(root, "backup")
			err := copyFile(filepath.Join(deploy, test.script), filepath.Join("..", "..", "deploy", test.script))
			if err == nil && test.key != "" {
				err = writeFiles(filepath.Join(deploy, "secrets"), map[string]string{"seal.key": test.key})
			}
			if err == nil {
				err = writeFiles(folder, test.files)
			}
			if err != nil {
				t.Fatal(err)
			}
			command := exec.CommandContext(t.Context(), filepath.Join(deploy, test.script), append([]string{folder}, test.more...)...)
			command.Env = append(os.Environ(), "DOCKER_HOST=unix://"+filepath.Join(root, "nothing"))
			out, err := command.CombinedOutput()
			if err == nil || !strings.Contains(string(out), test.says) {
				t.Errorf("it ends with %v and says %q, want %q", err, out, test.says)
			}
			left, err := filepath.Glob(filepath.Join(folder, "*"))
			if err != nil || len(left) != len(test.files) {
				t.Errorf("the folder has %q now: %v", left, err)
			}
		})
	}
}

// TestBackupHelp has both scripts show how they are called.
func TestBackupHelp(t *testing.T) {
	for _, name := range []string{"backup.sh", "restore.sh"} {
		out, err := exec.CommandContext(t.Context(), filepath.Join("..", "..", "deploy", name), "--help").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "\n  deploy/"+name+" /var/backups/sallyport/2026-11-29\n") || strings.Contains(string(out), "set -e") {
			t.Errorf("%s --help ends with %v and says:\n%s", name, err, out)
		}
	}
}

// backupOf are the files by which restore.sh knows a backup that was sealed under a key.
func backupOf(key string) map[string]string {
	of := func(text, name string) string { return fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(text)), name) }
	sum := of(key, "-")
	return map[string]string{"seal.key.sha256": sum, "SHA256SUMS": of(sum, "seal.key.sha256")}
}

func writeFiles(folder string, files map[string]string) error {
	err := os.MkdirAll(folder, 0o700)
	for name, text := range files {
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600)
		}
	}
	return err
}

package parts

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample is a part like the pinned ones: a zip file with one program, here a shell script.
func sample(t *testing.T, fetched *int) part {
	t.Helper()
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	program, err := archive.Create("bin/sample")
	if err == nil {
		_, err = io.WriteString(program, "#!/bin/sh\necho sample 1.2.3\n")
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(file.Bytes())
	return part{
		name: "Sample", version: "1.2.3", file: "sample.zip", bytes: int64(file.Len()), sha256: hex.EncodeToString(sum[:]), program: "bin/sample",
		fetch: func(_ context.Context, _, folder string) error {
			*fetched++
			return os.WriteFile(filepath.Join(folder, "sample.zip"), file.Bytes(), 0o600)
		},
	}
}

func TestPartIsFetchedOnce(t *testing.T) {
	fetched := 0
	cache, p := t.TempDir(), sample(t, &fetched)
	for range 2 {
		program, err := p.ensure(t.Context(), cache, "", io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(cache, "Sample-1.2.3", "bin", "sample"); program != want {
			t.Errorf("the program is at %s, want %s", program, want)
		}
	}
	if fetched != 1 {
		t.Errorf("fetched %d times", fetched)
	}
	left, err := filepath.Glob(filepath.Join(cache, "fetching-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWrongChecksum(t *testing.T) {
	fetched := 0
	cache, p := t.TempDir(), sample(t, &fetched)
	got := p.sha256
	p.sha256 = strings.Repeat("0", 64)
	_, err := p.ensure(t.Context(), cache, "", io.Discard)
	wantError(t, err, got, "instead of "+p.sha256, "try again", "report it")
	rejected := filepath.Join(cache, "sample.zip.rejected")
	wantError(t, err, rejected)
	if _, err := os.Stat(rejected); err != nil {
		t.Error("the rejected file isn't there to look at:", err)
	}
	if _, err := os.Stat(filepath.Join(cache, "Sample-1.2.3")); err == nil {
		t.Error("a part with a wrong checksum was unpacked")
	}
}

func TestPartThatDoesNotRun(t *testing.T) {
	fetched := 0
	p := sample(t, &fetched)
	p.version = "1.2.4"
	_, err := p.ensure(t.Context(), t.TempDir(), "", io.Discard)
	wantError(t, err, "Sample 1.2.4 doesn't run on this machine", "it said: sample 1.2.3")
}

func TestDownloadFails(t *testing.T) {
	for _, test := range []struct {
		name, program, script string
		fetch                 func(context.Context, string, string) error
		want                  string
	}{
		{"pip", "python3", "echo 'ERROR: No matching distribution found for sample'; exit 1", pip("sample==1"), "python3 said: ERROR: No matching distribution found for sample"},
		{"no pip", "python3", "echo '/usr/bin/python3: No module named pip' >&2; exit 1", pip("sample==1"), "this Python is without pip: install it"},
		{"no Python", "other", "", pip("sample==1"), "Python 3 with pip is needed to fetch parts and isn't here: install"},
		{"Maven", "mvn", "echo '[INFO] x'; echo '[ERROR] Could not resolve sample'; echo '[ERROR] [Help 1] see there'; exit 1", maven("a:b:1:zip"), "mvn said: [ERROR] Could not resolve sample"},
		{"no Maven", "other", "", maven("a:b:1:zip"), "Maven is needed to fetch parts and isn't here: install"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("PATH", programs(t, test.program, test.script))
			wantError(t, test.fetch(t.Context(), "", t.TempDir()), test.want)
		})
	}
}

func TestJava(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"too old", `echo 'openjdk version "11.0.2" 2019-01-15' >&2`, "is Java 11: install one"},
		{"broken", "exit 1", "doesn't run: install one"},
		{"something else", "echo hello", "doesn't say its version: install one"},
		{"enough", `echo 'openjdk version "21.0.1" 2023-10-17' >&2`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("JAVA_HOME", home)
			err := os.Rename(programs(t, "java", test.script), filepath.Join(home, "bin"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := javaHome(t.Context())
			if test.want != "" {
				wantError(t, err, "Elasticsearch needs Java 17 or later", test.want)
			} else if err != nil || got != home {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	t.Setenv("JAVA_HOME", "/nowhere")
	_, err := javaHome(t.Context())
	wantError(t, err, "there is none", "JAVA_HOME")
}

func TestInstalledIsUsedWhenNewEnough(t *testing.T) {
	for said, want := range map[string]bool{
		"Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0":            false,
		"Valkey server v=9.1.2 sha=00000000:0":                                  true,
		"envoy  version: 0123456789abcdef/1.40.0/Clean/RELEASE/BoringSSL":       false,
		"Redis server v=7.2.4 sha=00000000:0 malloc=libc bits=64 build=deadbee": true,
		"no number": false,
	} {
		t.Setenv("PATH", programs(t, "redis-server", "echo '"+said+"'"))
		if got := installed(t.Context(), "redis-server", 7, 2) != ""; got != want {
			t.Errorf("%q: used: %t, want %t", said, got, want)
		}
	}
	t.Setenv("PATH", programs(t, "envoy", "echo 'envoy  version: 0123456789abcdef/1.40.1/Clean/RELEASE/BoringSSL'"))
	if installed(t.Context(), "envoy", 1, 40) == "" {
		t.Error("Envoy 1.40.1 isn't used")
	}
}

func TestClosed(t *testing.T) {
	open := t.TempDir()
	err := os.Chmod(filepath.Dir(open), 0o755)
	if err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(open, "closed")
	err = os.Mkdir(closed, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if got := Closed(filepath.Join(open, "later")); got != "" {
		t.Errorf("%s is taken to be closed", got)
	}
	if got := Closed(filepath.Join(closed, "later")); got != closed {
		t.Errorf("got %q, want %q", got, closed)
	}
}

// programs makes a folder with one program, a shell script.
func programs(t *testing.T, name, script string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "bin")
	err := os.Mkdir(folder, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// wantError fails unless the error is one sentence on one line with all of the texts.
func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", texts)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %s", err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error is %q, want it to say %q", err, text)
		}
	}
}

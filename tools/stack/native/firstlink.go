package native

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// firstLink makes, at the first start, the link by which somebody becomes admin, and keeps it beside the
// other secrets. It returns an empty text at later starts.
func (s Stack) firstLink(ctx context.Context) (string, error) {
	path := s.secret("first.link")
	_, err := os.Stat(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, filepath.Join(s.Root, "bin", "sallyport"), "first-link", "--json",
		"--server", fmt.Sprintf("localhost:%d", s.Ports.port(console)), "--token-file", s.secret(adminToken))
	out, err := command.Output()
	if err != nil {
		return "", err
	}
	var made struct {
		URL string `json:"url"`
	}
	err = json.Unmarshal(out, &made)
	if err != nil {
		return "", err
	}
	return made.URL, os.WriteFile(path, []byte(made.URL+"\n"), 0o600)
}

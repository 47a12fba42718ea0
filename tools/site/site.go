// Package site is a running Sallyport as those find it who use it: by its state.json.
package site

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

// Site is where the parts of a running Sallyport are.
type Site struct {
	MCPURL           string `json:"mcp_url"`
	AdminGRPC        string `json:"admin_grpc"`
	AdminTokenFile   string `json:"admin_token_file"`
	ElasticsearchURL string `json:"elasticsearch_url"`
	RedisAddr        string `json:"redis_addr"`
	SwitchesURL      string `json:"atlassian_switches_url"`

	program, runDir string
}

// Read reads where everything is of the Sallyport that runs in a folder, with the programs of a work tree.
func Read(root, runDir string) (*Site, error) {
	s := &Site{program: filepath.Join(root, "bin", "sallyport"), runDir: runDir}
	text, err := os.ReadFile(filepath.Join(runDir, "state.json"))
	if err == nil {
		err = json.Unmarshal(text, s)
	}
	if err != nil {
		return nil, fmt.Errorf("where Sallyport runs: %w", err)
	}
	return s, nil
}

// Command runs bin/sallyport as an administrator, and returns what it prints.
func (s *Site) Command(ctx context.Context, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, s.program, append(arguments, "--server", s.AdminGRPC, "--token-file", s.AdminTokenFile)...)
	out, err := command.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(failed.Stderr)))
	}
	return out, err
}

// Apply puts a policy in force.
func (s *Site) Apply(ctx context.Context, policy string) error {
	file := filepath.Join(s.runDir, "policy.yaml")
	err := os.WriteFile(file, []byte(policy), 0o644)
	if err == nil {
		_, err = s.Command(ctx, "policy", "apply", file)
	}
	if err != nil {
		return fmt.Errorf("putting a policy in force: %w", err)
	}
	return nil
}

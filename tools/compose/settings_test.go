package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestEverySettingIsExplained compares the settings that the compose files read with those of .env.example: those in
// braces, and those of services that have no value there.
func TestEverySettingIsExplained(t *testing.T) {
	deploy := filepath.Join("..", "..", "deploy")
	read := map[string]bool{"COMPOSE_PROFILES": true}
	for _, name := range []string{"compose.yaml", "compose.tls.yaml"} {
		text, err := os.ReadFile(filepath.Join(deploy, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`[^$]\$\{([A-Z0-9_]+)`).FindAllSubmatch(text, -1) {
			read[string(match[1])] = true
		}
		var file struct {
			Services map[string]struct{ Environment map[string]any }
		}
		err = yaml.Unmarshal(text, &file)
		if err != nil {
			t.Fatal(err)
		}
		for _, service := range file.Services {
			for name, value := range service.Environment {
				if value == nil {
					read[name] = true
				}
			}
		}
	}
	for _, name := range []string{".env.example", "try.env"} {
		text, err := os.ReadFile(filepath.Join(deploy, name))
		if err != nil {
			t.Fatal(err)
		}
		var explained []string
		for _, match := range regexp.MustCompile(`(?m)^(?:# )?([A-Z][A-Z0-9_]+)=`).FindAllSubmatch(text, -1) {
			explained = append(explained, string(match[1]))
			if !read[string(match[1])] {
				t.Errorf("%s has %s, which nothing reads", name, match[1])
			}
		}
		for setting := range read {
			if name == ".env.example" && !slices.Contains(explained, setting) {
				t.Errorf("%s doesn't explain %s", name, setting)
			}
		}
	}
}

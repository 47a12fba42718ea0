package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// row is what docs/clients.md says of a client.
func (c tested) row() string {
	registers, refreshes, lost, forgotten := "registers", "on a 401", "opens the sign-in page", "registers again and opens the sign-in page"
	if c.want.byClock {
		refreshes = "by its clock; on a 401 it opens the sign-in page"
	}
	if c.want.commanded {
		lost, forgotten = "its user has it sign in", "registers again when its user has it sign in"
	}
	if c.want.stuck {
		forgotten = "its user removes the connection and adds it again"
	}
	if c.want.described {
		registers, forgotten = "client ID metadata document", "has none"
	}
	return fmt.Sprintf("| %s | %s | %s | `%s`, %s | %s | %s | %s | %s |", c.client, c.version, registers, c.want.key, c.want.class, c.want.revision, refreshes, lost, forgotten)
}

// TestTableOfClients shows that docs/clients.md says what TestClients shows, of those versions.
func TestTableOfClients(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "|---|---|---|---|---|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := map[string]bool{}
	for line := range strings.Lines(table) {
		rows[strings.TrimSpace(line)] = true
	}
	clients := testedClients(t)
	for name, client := range clients {
		if !rows[client.row()] {
			t.Errorf("%s: docs/clients.md lacks the row\n%s", name, client.row())
		}
	}
	if len(rows) != len(clients) {
		t.Errorf("docs/clients.md has %d rows, and %d clients are tested", len(rows), len(clients))
	}
}

// Package assistant knows the AI assistants: what rules call one that registers under a name with
// certain redirects, and how sure that is (policy.md 4).
package assistant

import (
	_ "embed"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// The classes.
const (
	// Verified: codes can only be delivered to the vendor's own host.
	Verified = "verified"
	// Claimed: codes go to an app on the person's machine, and any app there can give that name.
	Claimed = "claimed"
	// Unknown: codes go to a host that belongs to no vendor known here.
	Unknown = "unknown"
)

const maxNameRunes = 80

//go:embed assistants.yaml
var assistantsYAML []byte

// Table is what is known of them: assistants.yaml.
type Table struct {
	Vendors []struct {
		Identity `yaml:",inline"`
		Hosts    []string
	}
	Names []struct {
		Identity   `yaml:",inline"`
		Registered []string
	}
	// Claims are what they call themselves in MCP's clientInfo: Info, or anything with " (via " and Via
	// after it.
	Claims []struct {
		Keys, Info []string
		Via        string
	}
	// PrivateSchemes are those of apps on a person's machine, which redirects may use.
	PrivateSchemes []string `yaml:"private_schemes"`
}

// Identity is what rules call an assistant.
type Identity struct {
	Key, Name string
	Class     string `yaml:"-"`
}

// Load reads the table, which is part of the program.
func Load() (*Table, error) {
	var table Table
	err := yaml.Unmarshal(assistantsYAML, &table)
	if err != nil {
		return nil, fmt.Errorf("assistants.yaml: %w", err)
	}
	return &table, nil
}

// Identify decides what rules call a client that registers under a name with these redirects, all of
// which are absolute URLs that may be redirected to.
func (t *Table) Identify(registeredName string, redirects []string) Identity {
	for _, vendor := range t.Vendors {
		onHost := func(redirect string) bool {
			u, err := url.Parse(redirect)
			return err == nil && u.Scheme == "https" && slices.Contains(vendor.Hosts, strings.ToLower(u.Host))
		}
		if allOf(redirects, onHost) {
			return Identity{vendor.Key, vendor.Name, Verified}
		}
	}
	class := Unknown
	if !slices.ContainsFunc(redirects, func(redirect string) bool { return !t.staysLocal(redirect) }) {
		class = Claimed
	}
	return t.named(registeredName, class)
}

// staysLocal says whether a redirect goes to an app on the person's machine, directly or through the
// page of a known vendor, as Visual Studio Code registers both.
func (t *Table) staysLocal(redirect string) bool {
	u, err := url.Parse(redirect)
	if err != nil {
		return false
	}
	return u.Scheme == "https" && t.IsVendor(u.Host) || u.Scheme == "http" || slices.Contains(t.PrivateSchemes, u.Scheme)
}

// IsVendor says whether a host is one of a known vendor's own.
func (t *Table) IsVendor(host string) bool {
	for _, vendor := range t.Vendors {
		if slices.Contains(vendor.Hosts, strings.ToLower(host)) {
			return true
		}
	}
	return false
}

func (t *Table) named(registeredName, class string) Identity {
	name := CleanName(registeredName)
	bare, _, _ := strings.Cut(name, " (")
	for _, known := range t.Names {
		if slices.ContainsFunc(known.Registered, func(n string) bool { return strings.EqualFold(n, bare) }) {
			return Identity{known.Key, known.Name, class}
		}
	}
	return Identity{slug(name), name, class}
}

// CleanName makes a name fit to be shown: one line, of visible characters, not too long.
func CleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		// Format characters, such as those that turn the direction of writing, would let a name look
		// like another one.
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, name)
	runes := []rune(strings.Join(strings.Fields(name), " "))
	if len(runes) > maxNameRunes {
		runes = runes[:maxNameRunes]
	}
	if len(runes) == 0 {
		return "Unnamed client"
	}
	return strings.TrimSpace(string(runes))
}

// slug is a name in small letters and digits, with hyphens between words.
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return "unnamed-client"
	}
	return strings.Join(words, "-")
}

func allOf(list []string, holds func(string) bool) bool {
	return !slices.ContainsFunc(list, func(item string) bool { return !holds(item) })
}

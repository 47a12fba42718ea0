package identity

import (
	_ "embed"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// The classes of clients (policy.md 4).
const (
	// verified: codes can only be delivered to the vendor's own host.
	verified = "verified"
	// claimed: codes go to an app on the person's machine, and any app there can give that name.
	claimed = "claimed"
	// unknown: codes go to a host that belongs to no vendor known here.
	unknown = "unknown"
)

const maxNameRunes = 80

//go:embed clients.yaml
var clientsYAML []byte

// clientTable is clients.yaml.
type clientTable struct {
	Vendors []struct {
		identity `yaml:",inline"`
		Hosts    []string
	}
	Names []struct {
		identity   `yaml:",inline"`
		Registered []string
	}
	PrivateSchemes []string `yaml:"private_schemes"`
}

// identity is what rules call a client.
type identity struct {
	Key, Name string
	Class     string `yaml:"-"`
}

func loadClients() (*clientTable, error) {
	var table clientTable
	err := yaml.Unmarshal(clientsYAML, &table)
	if err != nil {
		return nil, fmt.Errorf("clients.yaml: %w", err)
	}
	return &table, nil
}

// identify decides what rules call a client that registers under a name with these redirects, all of
// which have passed checkRedirect.
func (t *clientTable) identify(registeredName string, redirects []string) identity {
	for _, vendor := range t.Vendors {
		onHost := func(redirect string) bool {
			u, err := url.Parse(redirect)
			return err == nil && u.Scheme == "https" && slices.Contains(vendor.Hosts, strings.ToLower(u.Host))
		}
		if allOf(redirects, onHost) {
			return identity{vendor.Key, vendor.Name, verified}
		}
	}
	class := unknown
	if !slices.ContainsFunc(redirects, func(redirect string) bool { return !t.staysLocal(redirect) }) {
		class = claimed
	}
	return t.named(registeredName, class)
}

// staysLocal says whether a redirect goes to an app on the person's machine, directly or through the
// page of a known vendor, as Visual Studio Code registers both.
func (t *clientTable) staysLocal(redirect string) bool {
	u, err := url.Parse(redirect)
	if err != nil {
		return false
	}
	for _, vendor := range t.Vendors {
		if u.Scheme == "https" && slices.Contains(vendor.Hosts, strings.ToLower(u.Host)) {
			return true
		}
	}
	return u.Scheme == "http" || slices.Contains(t.PrivateSchemes, u.Scheme)
}

func (t *clientTable) named(registeredName, class string) identity {
	name := cleanName(registeredName)
	bare, _, _ := strings.Cut(name, " (")
	for _, known := range t.Names {
		if slices.ContainsFunc(known.Registered, func(n string) bool { return strings.EqualFold(n, bare) }) {
			return identity{known.Key, known.Name, class}
		}
	}
	return identity{slug(name), name, class}
}

// cleanName makes a name fit to be shown: one line, of visible characters, not too long.
func cleanName(name string) string {
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

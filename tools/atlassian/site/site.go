// Package site is the Atlassian site acme.atlassian.net: its people and groups, its Jira projects with
// their issues, and its Confluence spaces with their pages. All of it lives in memory, really changes,
// and answers JQL and CQL searches. Every person sees everything, as on a small site without
// permission schemes.
package site

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// The one site. People name it by CloudID or by its host, with or without a scheme.
const (
	CloudID = "6b1f2c84-93d5-4e0a-8c77-5a2e9d04f1b3"
	Host    = "acme.atlassian.net"
	Name    = "acme"
	URL     = "https://" + Host
)

// Error is what Jira or Confluence answers when it refuses: an HTTP status and sentences.
type Error struct {
	Status   int
	Messages []string
}

func (e *Error) Error() string { return strings.Join(e.Messages, " ") }

func refuse(status int, format string, args ...any) error {
	return &Error{status, []string{fmt.Sprintf(format, args...)}}
}

// IsCloudID reports whether the text names this site: its UUID, its host or its address.
func IsCloudID(text string) bool {
	host := strings.ToLower(strings.TrimSpace(text))
	host = strings.TrimPrefix(strings.TrimPrefix(host, "https://"), "http://")
	host, _, _ = strings.Cut(host, "/")
	return host == CloudID || host == Host
}

// Site is the whole state. Its methods may be called at the same time; what they return is a copy.
type Site struct {
	now func() time.Time

	// mu guards everything below.
	mu       sync.Mutex
	people   []*Person
	projects []Project
	issues   []*Issue
	spaces   []Space
	contents []*Content
	lastID   int
	nextKey  map[string]int
	// seededGroups are people's groups at the start, by e-mail.
	seededGroups map[string][]Group
}

// New returns the site as it is seeded. Ages in the seed count back from now.
func New(now func() time.Time) (*Site, error) {
	s := &Site{now: now}
	return s, s.Reset()
}

// newID hands out ids that are unique over issues, comments and pages alike. The caller holds mu.
func (s *Site) newID() string {
	s.lastID++
	return fmt.Sprint(s.lastID)
}

package site

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Group is a group of the site. Its name may change, its ID doesn't.
type Group struct {
	ID   string `json:"groupId"`
	Name string `json:"name"`
}

// Person is somebody with an Atlassian account on this site.
type Person struct {
	AccountID string
	Email     string
	Name      string
	JobTitle  string
	Groups    []Group
	// Sites are the host names of the sites that the account can use: this one, until SetSites.
	Sites []string
}

// Groups of the site, by name.
var Groups = []Group{
	{"3f0c9a1e-6b57-4d21-9e8a-c1d2b7f40a11", "contractors"},
	{"8a47d6b2-1c3e-4f90-a5d8-7e6b9c20d322", "developers"},
	{"c25e8f73-0d94-4ab6-b1f7-92d3a4e65b33", "site-admins"},
}

func (p *Person) clone() Person {
	c := *p
	c.Groups, c.Sites = slices.Clone(p.Groups), slices.Clone(p.Sites)
	return c
}

// People lists everybody, by e-mail.
func (s *Site) People() []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Person, len(s.people))
	for i, p := range s.people {
		all[i] = p.clone()
	}
	return all
}

// PersonByEmail finds a person; e-mail addresses compare without regard to case.
func (s *Site) PersonByEmail(email string) (Person, bool) {
	return s.findPerson(func(p *Person) bool { return strings.EqualFold(p.Email, strings.TrimSpace(email)) })
}

// Person finds a person by account id.
func (s *Site) Person(accountID string) (Person, bool) {
	return s.findPerson(func(p *Person) bool { return p.AccountID == accountID })
}

func (s *Site) findPerson(is func(*Person) bool) (Person, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.people, is); i >= 0 {
		return s.people[i].clone(), true
	}
	return Person{}, false
}

// AddPerson adds somebody without groups; who has the address already stays as they are.
func (s *Site) AddPerson(email, name string) Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.people, func(p *Person) bool { return strings.EqualFold(p.Email, email) })
	if i < 0 {
		sum := sha256.Sum256([]byte(strings.ToLower(email)))
		i = len(s.people)
		s.people = append(s.people, &Person{AccountID: fmt.Sprintf("712020:%x", sum[:12]), Email: email, Name: name, Groups: []Group{}, Sites: []string{Host}})
	}
	return s.people[i].clone()
}

// SetGroups replaces a person's groups by those of the given names, all of which must exist.
func (s *Site) SetGroups(email string, names []string) (Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.people, func(p *Person) bool { return strings.EqualFold(p.Email, email) })
	if i < 0 {
		return Person{}, fmt.Errorf("nobody has the e-mail address %q", email)
	}
	groups, err := groupsNamed(names)
	if err != nil {
		return Person{}, err
	}
	s.people[i].Groups = groups
	return s.people[i].clone(), nil
}

// SetSites replaces the sites that a person's account can use, by their host names. Of others than this one there is
// nothing but the name.
func (s *Site) SetSites(email string, hosts []string) (Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.people, func(p *Person) bool { return strings.EqualFold(p.Email, email) })
	if i < 0 {
		return Person{}, fmt.Errorf("nobody has the e-mail address %q", email)
	}
	s.people[i].Sites = slices.Clone(hosts)
	return s.people[i].clone(), nil
}

func groupsNamed(names []string) ([]Group, error) {
	groups := []Group{}
	for _, name := range names {
		i := slices.IndexFunc(Groups, func(g Group) bool { return g.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no group %q; the site has contractors, developers and site-admins", name)
		}
		groups = append(groups, Groups[i])
	}
	return groups, nil
}

// resolvePerson reads how a query or a tool names a person: account id, e-mail address or name.
// The caller holds mu.
func (s *Site) resolvePerson(text string) (string, bool) {
	for _, p := range s.people {
		if p.AccountID == text || strings.EqualFold(p.Email, text) || strings.EqualFold(p.Name, text) {
			return p.AccountID, true
		}
	}
	return "", false
}

// ResetGroups gives everybody their seeded groups back.
func (s *Site) ResetGroups() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.people {
		p.Groups = slices.Clone(s.seededGroups[p.Email])
	}
}

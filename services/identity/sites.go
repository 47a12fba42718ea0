package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/services/identity/atlassian"
	"sallyport/services/internal/state"
)

const (
	// sitesWatch is for how long after the start grants are looked at again: while replicas are restarted one after
	// the other, one that hasn't been yet may still let people in by the former setting.
	sitesWatch = 10 * time.Minute
	// sitesPause is how long after a pass over the grants the next one follows, and sitesAgain after one that failed.
	sitesPause = time.Minute
	sitesAgain = 5 * time.Second
	// sitesChunk is how many grants are read at a time.
	sitesChunk = 500
	// sitesNamed is how many sites a sentence names.
	sitesNamed = 3
)

// sites are the host names of the Atlassian sites whose accounts may sign in; empty for those of any site.
type sites []string

// readSites reads the setting. What isn't a host name is refused, since a list without one lets everybody in.
func readSites(given []string) (sites, error) {
	var read sites
	for _, text := range given {
		host := strings.ToLower(strings.TrimSpace(text))
		if !atlassian.IsSiteHost(host) {
			return nil, fmt.Errorf("--sites takes host names such as acme.atlassian.net, with commas between them and without https://, got %q", text)
		}
		read = append(read, host)
	}
	return read, nil
}

// have says whether accounts of a site may sign in. An empty host name is that of a site that isn't known.
func (s sites) have(host string) bool { return len(s) == 0 || slices.Contains(s, host) }

// errOtherSite means that none of the person's sites is one whose accounts may sign in.
type errOtherSite struct {
	// hosts are the sites that the person has.
	hosts []string
}

func (e errOtherSite) Error() string {
	return "the account has none of --sites, but " + e.has()
}

// has is what the person has instead, in words.
func (e errOtherSite) has() string {
	switch more := len(e.hosts) - sitesNamed; {
	case len(e.hosts) == 0:
		return "no site at all"
	case more > 0:
		return strings.Join(e.hosts[:sitesNamed], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(e.hosts, ", ")
}

// answer tells the assistant, and so its person.
func (e errOtherSite) answer() oauthError {
	return oauthError{"access_denied", "Only accounts of certain Atlassian sites may sign in here. This one came with " + e.has() +
		". Try again with your company's account, and choose your company's site at Atlassian; or ask whoever runs Sallyport."}
}

// who finds out whose Atlassian token it is, with those of the person's sites whose accounts may sign in. It returns
// errOtherSite where there is none, and an error, too, where the sites can't be found out and it matters.
func (s *server) who(ctx context.Context, access string) (atlassian.Person, error) {
	person, err := s.atlassian.Who(ctx, access)
	if err != nil || len(s.sites) == 0 {
		return person, err
	}
	if person.SitesUnknown != nil {
		return atlassian.Person{}, fmt.Errorf("finding out which sites the person has: %w", person.SitesUnknown)
	}
	var hosts []string
	for _, site := range person.Sites {
		if site.Host != "" && !slices.Contains(hosts, site.Host) {
			hosts = append(hosts, site.Host)
		}
	}
	person.Sites = slices.DeleteFunc(person.Sites, func(site atlassian.Site) bool { return !s.sites.have(site.Host) })
	if len(person.Sites) == 0 {
		return atlassian.Person{}, errOtherSite{hosts}
	}
	return person, nil
}

// keepSites ends the grants of other sites than those whose accounts may sign in: those of before that was set, and
// those that other replicas give by the former setting until they have been restarted too.
func (s *server) keepSites(ctx context.Context) error {
	for until := time.Now().Add(sitesWatch); ctx.Err() == nil; {
		ended, err := s.endOtherSites(ctx)
		// Atlassian is told after all have ended, since it may be slow to answer.
		for _, e := range ended {
			_ = s.revokeEnded(ctx, e)
		}
		if err == nil && time.Now().After(until) {
			return nil
		}
		wait := sitesPause
		if err != nil && ctx.Err() == nil {
			s.log.Error("people of other Atlassian sites than --sites may still be signed in", "error", err)
			wait = sitesAgain
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return nil
}

// endOtherSites is one pass over all grants. It returns what has ended, with an error too.
func (s *server) endOtherSites(ctx context.Context) ([]state.Ended, error) {
	var all []state.Ended
	for after := (state.Place{}); ; {
		page, next, err := s.store.Connections(ctx, state.ConnectionQuery{After: after, Limit: sitesChunk})
		if err != nil {
			return all, err
		}
		for _, c := range page {
			if s.sites.have(c.SiteHost) {
				continue
			}
			ended, err := s.store.EndGrant(ctx, c.ID)
			if errors.Is(err, state.ErrNotFound) {
				continue
			}
			if err != nil && !errors.Is(err, state.ErrNotOnDisk) {
				return all, err
			}
			s.log.Warn("grant revoked", "grant", c.ID, "account_id", c.AccountID, "client", c.ClientKey, "site", c.SiteHost,
				"reason", "its site isn't one of --sites")
			all = append(all, ended)
		}
		if next == (state.Place{}) {
			return all, nil
		}
		after = next
	}
}

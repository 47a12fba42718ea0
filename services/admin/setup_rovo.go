package admin

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/state"
)

const (
	rovoAdmin = "Atlassian Administration (https://admin.atlassian.com) > Rovo > Rovo MCP server"
	// manyLost is from how many sign-ins on that never came back it isn't people who gave up.
	manyLost = 3
)

// rovo is what the set-up at Atlassian is told from: where Sallyport is, and what identity saw.
type rovo struct {
	publicURL, callback string
	seen                state.Observed
}

// rovoSetup tells whether people can sign in through Sallyport, and past it.
func (s *StatusServer) rovoSetup(ctx context.Context) []*adminv1.SetupItem {
	r := rovo{publicURL: s.publicURL, callback: s.publicURL + "/mcp/callback"}
	seen, err := s.store.Observed(ctx)
	if err == nil && (seen.Callback == "" || seen.Callback == r.callback) {
		r.seen = seen
	}
	domain, door, address := r.domainItem(), r.doorItem(), r.addressItem()
	if err != nil {
		for _, item := range []*adminv1.SetupItem{domain, door, address} {
			item.State, item.Detail = setupUnknown, "Redis doesn't answer, so what was seen of Atlassian can't be read. Start it again, and try once more."
		}
	}
	return []*adminv1.SetupItem{r.publicURLItem(seen.Callback), domain, door, tokensItem(), address}
}

// publicURLItem tells whether people and Rovo can be sent to the public URL. identity's callback is
// empty where it isn't known.
func (r rovo) publicURLItem(identitys string) *adminv1.SetupItem {
	const start = "start identity and admin with --public-url (SALLYPORT_PUBLIC_URL)"
	item := &adminv1.SetupItem{Name: "public_url", State: setupAction}
	secure, local := r.place()
	switch {
	case identitys != "" && identitys != r.callback:
		item.Remedy = start + " and the same URL."
		item.Detail = fmt.Sprintf("identity takes people back at %s, and admin says %s: %s", identitys, r.callback, item.GetRemedy())
	case local && secure:
		item.Remedy = "For trying out, " + start + " http://localhost and the port, otherwise an https:// URL of your company's."
		item.Detail = fmt.Sprintf("Rovo lets http://localhost in by itself, but not %s. %s", r.publicURL, item.GetRemedy())
	case local:
		item.Detail = fmt.Sprintf("Sallyport has no public URL yet: only this computer reaches %s, which is enough for trying out. Before others connect, put Envoy behind an https:// URL of your company's, and %s and that URL.", r.publicURL, start)
	case !secure:
		item.Remedy = "Put Envoy behind an https:// URL, and " + start + " and that URL."
		item.Detail = fmt.Sprintf("%s isn't HTTPS: tokens would cross the network in clear, and assistants refuse it. %s", r.publicURL, item.GetRemedy())
	default:
		item.State = setupDone
	}
	return item
}

// place tells whether the public URL is HTTPS, and whether it is on the computer itself.
func (r rovo) place() (secure, local bool) {
	u, err := url.Parse(r.publicURL)
	if err != nil {
		return false, false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	address, err := netip.ParseAddr(host)
	local = host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
	return u.Scheme == "https", local
}

// domainItem tells whether Rovo lets sign-ins come back to the callback.
func (r rovo) domainItem() *adminv1.SetupItem {
	item := &adminv1.SetupItem{Name: "rovo_domain", State: setupAction}
	registered, refused := r.last(state.Registered), r.last(state.RegistrationRefused)
	signedIn, domain, other := r.last(state.SignedIn), r.last(state.DomainRefused), r.last(state.SignInRefused)
	switch {
	case refused.At.After(registered.At) && refused.Code != "":
		found(item, refused, "Atlassian refused to register Sallyport with this callback: "+quoted(refused.Note)+".")
		item.Remedy = r.domainSteps() + " Sallyport tries again with the next sign-in, and by itself within 15 minutes."
	case refused.At.After(registered.At):
		item.State = setupUnknown
		found(item, refused, "Sallyport couldn't register at Atlassian ("+quoted(refused.Note)+"), so nobody can sign in.")
		item.Remedy = "Check that identity reaches it; it tries again within a minute."
	case domain.At.After(signedIn.At):
		found(item, domain, fmt.Sprintf("On %s a sign-in came back with %s.", when(domain.At), quoted(domain.Note)))
		item.Remedy = r.domainSteps()
	case r.seen.NotReturned >= manyLost && !signedIn.At.IsZero():
		item.State = setupUnknown
		found(item, signedIn, fmt.Sprintf("It was allowed on %s, but %d sign-ins were sent to Atlassian since %s and none came back: people gave up, or it isn't allowed any more.",
			when(signedIn.At), r.seen.NotReturned, when(r.seen.NotReturnedSince)))
		item.Remedy = "Sign in once, which shows it; if you don't get back, it isn't. " + r.domainSteps()
	case r.seen.NotReturned >= manyLost:
		item.CheckedAt = timestamppb.New(r.seen.NotReturnedSince)
		item.Detail = fmt.Sprintf("%d sign-ins were sent to Atlassian since %s and none came back, which is how a domain looks that isn't allowed: people end on Atlassian's own page.",
			r.seen.NotReturned, when(r.seen.NotReturnedSince))
		item.Remedy = r.domainSteps()
	case !signedIn.At.IsZero():
		item.State = setupDone
		found(item, signedIn, "A sign-in came back on "+when(signedIn.At)+".")
	default:
		item.State = setupUnknown
		found(item, other, r.notSignedIn(registered, other))
		item.Remedy = r.domainSteps()
	}
	item.Detail = strings.TrimSpace(item.GetDetail() + " " + item.GetRemedy())
	return item
}

// notSignedIn is why it isn't known whether the domain is allowed.
func (r rovo) notSignedIn(registered, other state.Sighting) string {
	sent := r.last(state.SignInSent)
	switch {
	case registered.At.IsZero():
		return "Sallyport hasn't registered at Atlassian yet; if it stays so, look into identity's log."
	case !other.At.IsZero():
		return fmt.Sprintf("Nobody has signed in yet: on %s a sign-in came back with %s.", when(other.At), quoted(other.Note))
	case r.seen.NotReturned > 0:
		return fmt.Sprintf("Nobody has signed in yet: a sign-in that was sent to Atlassian on %s never came back. The person may have given up, or have seen there that the domain isn't allowed.", when(r.seen.NotReturnedSince))
	case !sent.At.IsZero():
		return "Nobody has signed in yet: a sign-in was sent to Atlassian on " + when(sent.At) + ". Whether it comes back shows in ten minutes."
	}
	return "Atlassian has registered Sallyport, but nobody has signed in yet, and only that shows it. Connect an assistant and sign in."
}

// domainSteps is how the callback comes onto Rovo's list.
func (r rovo) domainSteps() string {
	return "In " + rovoAdmin + " > Domains, add " + r.callback + " to your domains and save. If it is there already, delete it and add it again, " +
		"since Rovo is known to pass over entries; then wait a few minutes, and sign in from a private window."
}

// doorItem tells whether people can go to Rovo past Sallyport, with an assistant of their own.
func (r rovo) doorItem() *adminv1.SetupItem {
	const shut = "turn off \"Allow Atlassian supported domains\" in " + rovoAdmin + " > Domains"
	item := &adminv1.SetupItem{Name: "native_door", State: setupUnknown}
	secure, local := r.place()
	signedIn := r.last(state.SignedIn)
	switch {
	case local && !secure && !signedIn.At.IsZero():
		item.State = setupAction
		found(item, signedIn, fmt.Sprintf("It seems open: on %s Atlassian let a sign-in come back to this computer, as it does where \"Allow Atlassian supported domains\" is on. "+
			"Unless this address is among your domains, assistants reach Rovo without Sallyport too. That is fine for trying out. Once Sallyport has an https:// URL on your domains, %s.", when(signedIn.At), shut))
	case local:
		item.Detail = "Nobody has signed in yet. If Atlassian lets a sign-in come back to this computer, it lets other assistants come past Sallyport too."
	default:
		item.Detail = "Sallyport sees its own sign-ins only. To shut it, " + shut + ", and leave only " + r.callback + " in your domains. To look, in a minute: " +
			"add https://mcp.atlassian.com/v2/mcp to an assistant on your computer and sign in. The door is shut if Atlassian says \"Your organization admin must authorize access from this redirect URL\"."
	}
	return item
}

// tokensItem tells of API tokens, with which people get past Sallyport whatever the domains. No sign-in
// shows whether Rovo lets them in, and no token is sent there to try.
func tokensItem() *adminv1.SetupItem {
	return &adminv1.SetupItem{
		Name: "api_tokens", State: setupUnknown,
		Detail: "Whoever has an API token of Atlassian's may get past Sallyport: Rovo's domains don't bind it, and Sallyport can't see whether Rovo lets it in. " +
			"Turn API tokens off in " + rovoAdmin + " > Authentication.",
	}
}

// addressItem tells whether an IP allowlist keeps Sallyport out.
func (r rovo) addressItem() *adminv1.SetupItem {
	item := &adminv1.SetupItem{Name: "ip_allowlist", State: setupUnknown}
	refused, answered := r.last(state.AddressRefused), r.last(state.CallAnswered)
	switch {
	case refused.At.After(answered.At):
		item.State = setupAction
		item.Remedy = "In Atlassian Administration > Security > IP allowlists, add the public addresses from which identity and Envoy reach the internet; " +
			"whoever runs your network knows them. The next sign-in shows whether it helped."
		found(item, refused, fmt.Sprintf("On %s Atlassian refused a call for the address it came from: %s. %s", when(refused.At), quoted(refused.Note), item.GetRemedy()))
	case !answered.At.IsZero():
		item.State = setupDone
		found(item, answered, "")
	default:
		item.Detail = "Nobody has signed in yet, so no call was made that an IP allowlist could refuse. If your company has one, add the public addresses from which identity and Envoy reach the internet."
	}
	return item
}

func (r rovo) last(what state.Observation) state.Sighting { return r.seen.Last[what] }

// found fills in an item from what was seen.
func found(item *adminv1.SetupItem, seen state.Sighting, detail string) {
	item.Detail = detail
	if !seen.At.IsZero() {
		item.CheckedAt = timestamppb.New(seen.At)
	}
}

// quoted is what was said. It is marked as a quotation, since it may be anybody's.
func quoted(note state.Note) string {
	switch {
	case note.Text == "":
		return fmt.Sprintf("the error %q", note.Code)
	case !errorCode.MatchString(note.Code):
		return fmt.Sprintf("%q", note.Text)
	}
	return fmt.Sprintf("%q (%s)", note.Text, note.Code)
}

// errorCode is what OAuth's error codes look like.
var errorCode = regexp.MustCompile(`^[a-z_]{1,40}$`)

// when is a time as sentences say it.
func when(at time.Time) string { return at.UTC().Format("2 January 15:04 UTC") }

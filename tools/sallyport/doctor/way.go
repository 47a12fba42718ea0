package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// A step is one check of the way to a URL. Steps are taken in order, and those after one that fails are skipped.
type step struct {
	check string
	look  func(context.Context, *way) Finding
	// anyway says that it is taken wherever something has answered, whatever failed.
	anyway bool
}

// way is the way to a URL, and what was learned on it.
type way struct {
	area string
	url  *url.URL
	// host and port are where it is.
	host, port string
	// answer is what the URL answered.
	answer *answer
	// metadata is where the answer says that the protected resource is described.
	metadata string
	// issuer is the authorization server that the resource names.
	issuer string
	// goesOn is set by a step whose problem doesn't keep the next ones from being taken.
	goesOn bool
}

// door is one of the URLs that people come in by.
type door struct {
	area string
	// named is its URL where one was named. told is the one that the admin service says counts, once that has answered.
	named string
	told  func() string
	steps []step
}

// examineDoor takes the steps to a URL.
func (s Sallyport) examineDoor(ctx context.Context, d door, answered <-chan struct{}) []Finding {
	area, named := d.area, d.named
	if !s.Outside {
		return []Finding{skipped(area, "all", "It wasn't to be looked at from here. Run `sallyport doctor --mcp-url URL` on a computer as people use.")}
	}
	if named == "" {
		<-answered
		named = d.told()
	}
	if named == "" {
		return []Finding{unnamed(area)}
	}
	u, err := url.Parse(named)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return []Finding{{area, "name", Problem, fmt.Sprintf("%q is no URL that begins with https://.", named), "Start admin, identity, authz and Envoy with SALLYPORT_PUBLIC_URL set to an https:// URL."}}
	}
	w := &way{area: area, url: u, host: u.Hostname(), port: u.Port()}
	if w.port == "" {
		w.port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return w.take(ctx, d.steps)
}

func unnamed(area string) Finding {
	if area == Console {
		return skipped(area, "all", "No console URL is known: the admin API didn't tell one, and none was named by `--console-url`.")
	}
	return skipped(area, "all", "No MCP URL is known: the admin API didn't tell it, and none was named by `--mcp-url`.")
}

// take takes the steps.
func (w *way) take(ctx context.Context, steps []step) []Finding {
	var findings []Finding
	failed := ""
	for _, s := range steps {
		if failed != "" && (!s.anyway || w.answer == nil) {
			findings = append(findings, skipped(w.area, s.check, "It depends on "+failed+", which failed."))
			continue
		}
		w.goesOn = s.anyway
		ctx, cancel := context.WithTimeout(ctx, stepTimeout)
		f := s.look(ctx, w)
		cancel()
		f.Area, f.Check = w.area, s.check
		findings = append(findings, f)
		if f.State == Problem && !w.goesOn {
			failed = s.check
		}
	}
	return findings
}

// lookUpName resolves the host.
func lookUpName(ctx context.Context, w *way) Finding {
	if _, err := netip.ParseAddr(w.host); err == nil {
		return Finding{State: OK, Sentence: w.host + " is an address."}
	}
	addresses, err := net.DefaultResolver.LookupHost(ctx, w.host)
	var dns *net.DNSError
	switch {
	case err == nil:
		return Finding{State: OK, Sentence: fmt.Sprintf("%s is %s.", w.host, strings.Join(addresses, ", "))}
	case errors.As(err, &dns) && dns.IsNotFound:
		return Finding{
			State: Problem, Sentence: w.host + " doesn't resolve: no DNS server that this computer asks knows the name.",
			Remedy: fmt.Sprintf("Add a DNS record for %s with the address of Envoy, or of what stands before it; or correct SALLYPORT_PUBLIC_URL.", w.host),
		}
	}
	return Finding{
		State: Problem, Sentence: fmt.Sprintf("%s can't be looked up: %s.", w.host, reason(err)),
		Remedy: "Mend this computer's DNS, or run this on another one.",
	}
}

// openPort connects to the port.
func openPort(ctx context.Context, w *way) Finding {
	address := net.JoinHostPort(w.host, w.port)
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err == nil {
		_ = conn.Close()
		return Finding{State: OK, Sentence: "Port " + w.port + " is open."}
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return Finding{
			State: Problem, Sentence: fmt.Sprintf("Nothing listens at %s.", address),
			Remedy: "Start Envoy, or what stands before it: `make up`, or `docker compose up -d`. If it runs, let it listen at this port and address (PUBLIC_BIND).",
		}
	}
	return Finding{
		State: Problem, Sentence: fmt.Sprintf("%s can't be reached: %s.", address, reason(err)),
		Remedy: fmt.Sprintf("Let port %s through each firewall on the way, and check that the address of %s is the right one.", w.port, w.host),
	}
}

// reason is why something came to nothing, without the layers that errors carry.
func reason(err error) string {
	var network net.Error
	var dns *net.DNSError
	var system syscall.Errno
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fmt.Sprintf("no answer within %v", stepTimeout)
	case errors.As(err, &dns):
		return dns.Err
	case errors.As(err, &system):
		return system.Error()
	}
	return err.Error()
}

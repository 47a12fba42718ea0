// Package native runs Sallyport on one machine without Docker and without root: process-compose
// starts the parts in order, restarts what dies, and keeps a log file each.
package native

import (
	"fmt"
	"net"
	"strconv"
)

// Ports are the ports of a stack, counted from one base.
type Ports int

// Base is the default of PORT_BASE.
const Base Ports = 8800

const (
	public = iota
	console
	envoyAdmin
	authzGRPC
	authzOps
	identityHTTP
	identityGRPC
	identityOps
	accesslogGRPC
	accesslogOps
	adminGRPC
	adminOps
	redis
	elasticHTTP
	elasticTransport
	atlassian
	switches
	envoyOps
	portCount

	// minBase is the first port that needs no privilege, maxBase leaves room for all.
	minBase, maxBase = 1024, 65535 - portCount
)

var portNames = [portCount]string{"the MCP endpoint", "the console", "Envoy's admin interface", "authz", "authz", "identity", "identity", "identity",
	"accesslog", "accesslog", "admin", "admin", "Redis", "Elasticsearch", "Elasticsearch", "the Atlassian stand-in", "the Atlassian stand-in", "Envoy's readiness"}

func (p Ports) address(offset int) string { return fmt.Sprintf("127.0.0.1:%d", p.port(offset)) }
func (p Ports) url(offset int) string     { return "http://" + p.address(offset) }
func (p Ports) port(offset int) int       { return int(p) + offset }

// publicURL is the URL that people and assistants use.
func (p Ports) publicURL() string { return fmt.Sprintf("http://localhost:%d", p.port(public)) }

// consoleURL is the URL that admins use.
func (p Ports) consoleURL() string { return fmt.Sprintf("http://localhost:%d", p.port(console)) }

// MetricsURLs are what Prometheus reads, by the name of the part.
func (p Ports) MetricsURLs() map[string]string {
	return map[string]string{
		"envoy": p.url(envoyOps) + "/stats/prometheus", "authz": p.url(authzOps) + "/metrics", "identity": p.url(identityOps) + "/metrics",
		"accesslog": p.url(accesslogOps) + "/metrics", "admin": p.url(adminOps) + "/metrics",
	}
}

// Check returns an error for the first port that somebody else has. Without a stand-in its ports
// don't matter.
func (p Ports) Check(standIn bool) error {
	for offset := range portCount {
		if !standIn && (offset == atlassian || offset == switches) {
			continue
		}
		listener, err := net.Listen("tcp", p.address(offset))
		if err != nil {
			return fmt.Errorf("port %d, for %s, is in use%s: stop what uses it, or choose other ports, such as PORT_BASE=%d make run",
				p.port(offset), portNames[offset], user(p.port(offset)), p.other())
		}
		listener.Close()
	}
	return nil
}

// baseStep is how far apart FreePorts looks for bases.
const baseStep = 100

// FreePorts returns the first base from first to last, a hundred apart, whose ports nobody has, more
// that the caller needs, counted from the base, among them.
func FreePorts(first, last Ports, more ...int) (Ports, error) {
	for base := first; base <= last; base += baseStep {
		free := base.Check(true) == nil
		for _, offset := range more {
			listener, err := net.Listen("tcp", base.address(offset))
			if err != nil {
				free = false
				continue
			}
			listener.Close()
		}
		if free {
			return base, nil
		}
	}
	return 0, fmt.Errorf("some port of every hundred from %d to %d is in use: stop what uses them", first, last)
}

// other is another base, far enough away.
func (p Ports) other() int {
	if int(p)+1000 > maxBase {
		return int(p) - 1000
	}
	return int(p) + 1000
}

// ParsePorts reads PORT_BASE.
func ParsePorts(text string) (Ports, error) {
	if text == "" {
		return Base, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < minBase || n > maxBase {
		return 0, fmt.Errorf("PORT_BASE is %q: set it to a number from %d to %d, such as %d", text, minBase, maxBase, Base)
	}
	return Ports(n), nil
}

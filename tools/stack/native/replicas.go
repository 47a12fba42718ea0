package native

import (
	"fmt"
	"os"
	"path/filepath"
)

// With more than one replica, replica n of a service has the address 127.0.0.n of this machine, counted from 1, and the
// port that the only one has otherwise. What 127.0.0.1 has for assistants and admins is left to the caller, who passes
// connections on to the Envoys (Entrances), as a Kubernetes Service does. Envoy finds services by their names, asking
// a name server at Names, which is the caller's, too.

// Replicated are the parts that there may be several of, in the order in which an upgrade takes them.
var Replicated = []string{"identity", "authz", "accesslog", "admin", "envoy"}

// domain is what the services' names end with.
const domain = ".sallyport.test"

// firstReplicated is the first port of what replicas take beside those of the parts, and replicatedCount how many there are: the
// name server's, and the admin interfaces of more Envoys.
const (
	firstReplicated = firstFailover + failoverCount
	replicatedCount = 3
)

// ReplicaPorts are what FreePorts has to look for beside the stack's own, for a stack with replicas.
func ReplicaPorts() []int {
	offsets := make([]int, replicatedCount)
	for i := range offsets {
		offsets[i] = firstReplicated + i
	}
	return offsets
}

func (s Stack) replicas() int { return max(1, s.Replicas) }

// replica is the name of a part's replica n, from 0.
func replica(part string, n int) string {
	if n == 0 {
		return part
	}
	return fmt.Sprintf("%s-%d", part, n+1)
}

// at is the address of the replica n of a service, with the port of one.
func (s Stack) at(n, offset int) string {
	return fmt.Sprintf("%s:%d", serviceHost(n), s.Ports.port(offset))
}

func serviceHost(n int) string { return fmt.Sprintf("127.0.0.%d", n+1) }

// envoyHost is where the replica n of Envoy listens.
func (s Stack) envoyHost(n int) string {
	if s.replicas() == 1 {
		return serviceHost(0)
	}
	return serviceHost(n + 1)
}

// envoyAdminPort is the port of the admin interface of the replica n of Envoy.
func (p Ports) envoyAdminPort(n int) int {
	if n == 0 {
		return p.port(envoyAdmin)
	}
	return p.port(firstReplicated + n)
}

// neighbour is the host by which Envoy finds a service.
func (s Stack) neighbour(service string) string {
	if s.replicas() == 1 {
		return serviceHost(0)
	}
	return service + domain
}

// identity is the target by which services find identity (gRPC's naming, "dns://server/name").
func (s Stack) identity() string {
	if s.replicas() == 1 {
		return s.Ports.address(identityGRPC)
	}
	return fmt.Sprintf("dns://%s/%s:%d", s.Names(), s.neighbour("identity"), s.Ports.port(identityGRPC))
}

// Names is the address, for UDP, at which the name server of a stack with replicas is asked.
func (s Stack) Names() string { return loopback(s.Ports.port(firstReplicated)) }

// resolver is what Envoy's configuration has beside, to ask that server.
func (s Stack) resolver() string {
	if s.replicas() == 1 {
		return ""
	}
	return fmt.Sprintf(`
typed_dns_resolver_config:
  name: envoy.network.dns_resolver.cares
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig
    resolvers: [{ socket_address: { protocol: UDP, address: 127.0.0.1, port_value: %d } }]
`, s.Ports.port(firstReplicated))
}

// Replica is one of several of a part.
type Replica struct {
	// Part is the part's name, and Process that of this one.
	Part, Process string
	// Name is the host name that leads to the service, empty for Envoy, and Address the IP address that it has for this one.
	Name, Address string
	// AdminURL is that of Envoy's admin interface, empty for a service.
	AdminURL string
	n        int
}

// ReplicasOf are the replicas of a part.
func (s Stack) ReplicasOf(part string) []Replica {
	all := make([]Replica, s.replicas())
	for n := range all {
		all[n] = Replica{Part: part, Process: replica(part, n), Name: s.neighbour(part), Address: serviceHost(n), n: n}
		if part == "envoy" {
			all[n].Name, all[n].Address, all[n].AdminURL = "", s.envoyHost(n), "http://"+loopback(s.Ports.envoyAdminPort(n))
		}
	}
	return all
}

// Entrances are the addresses that assistants and admins connect to; each leads to the same port of the Envoys.
func (s Stack) Entrances() []string {
	return []string{s.Ports.address(public), s.Ports.address(console)}
}

// program is what the replica n of a service is started from: the program itself, or, of several, a link to it.
func (s Stack) program(service string, n int) string {
	if s.replicas() == 1 {
		return filepath.Join(s.Root, "bin", service)
	}
	return s.path("programs", replica(service, n))
}

// Renew has a replica be of the version in Root when it is started next.
func (s Stack) Renew(r Replica) error {
	if r.Part == "envoy" {
		return s.renderEnvoy(r.n)
	}
	link := s.program(r.Part, r.n)
	err := os.Remove(link)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Symlink(filepath.Join(s.Root, "bin", r.Part), link)
}

// prepareReplicas writes what Envoys read, and what services are started from.
func (s Stack) prepareReplicas() error {
	if s.replicas() == 1 {
		return s.renderEnvoy(0)
	}
	err := os.MkdirAll(s.path("programs"), 0o755)
	if err != nil {
		return err
	}
	if s.Before != "" {
		s.Root = s.Before
	}
	for _, part := range Replicated {
		for _, r := range s.ReplicasOf(part) {
			err = s.Renew(r)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

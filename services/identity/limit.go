package identity

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"time"

	"sallyport/services/internal/state"
)

// limitWindow is for how long is counted what is limited.
const limitWindow = 10 * time.Minute

// sourceHeader is where Envoy says who sent a request. It removes what a client says under that name.
const sourceHeader = "X-Sallyport-Source"

// sender is the address that a request comes from.
func sender(r *http.Request) (netip.Addr, error) {
	said := r.Header.Get(sourceHeader)
	if said == "" {
		said, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	address, err := netip.ParseAddr(said)
	return address.Unmap().WithZone(""), err
}

// source is who sent a request, as far as limits go: the address, or for IPv6 the network, since one
// machine there has as many addresses as it likes.
func source(r *http.Request) string {
	address, err := sender(r)
	if err != nil {
		return "unknown"
	}
	if address.Is4() {
		return address.String()
	}
	network, err := address.Prefix(64)
	if err != nil {
		return "unknown"
	}
	return network.String()
}

// limit is that of what anybody can do who isn't signed in.
func (s *server) limit(name string) state.Limit {
	return state.Limit{Name: name, PerSource: s.registrationsPerAddress, InAll: s.registrationsInAll, Window: limitWindow}
}

// minutes is a time to wait in words.
func minutes(wait time.Duration) string {
	n := int(math.Ceil(wait.Minutes()))
	if n == 1 {
		return "a minute"
	}
	return fmt.Sprintf("%d minutes", n)
}

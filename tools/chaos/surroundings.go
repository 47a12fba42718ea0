package main

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"sallyport/tools/stack/native"
)

// surroundings are what replicas have around them in a cluster: what their names lead to, and what leads to Envoy.
type surroundings struct {
	stack     native.Stack
	names     *names
	entrances []*entrance
}

// surround stands for the cluster around a stack with replicas, all of which are there at first.
func surround(ctx context.Context, stack native.Stack) (*surroundings, error) {
	s := &surroundings{stack: stack}
	var err error
	s.names, err = serveNames(ctx, stack.Names())
	if err != nil {
		return nil, err
	}
	for _, address := range stack.Entrances() {
		e, err := openEntrance(ctx, address)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.entrances = append(s.entrances, e)
	}
	for _, part := range native.Replicated {
		s.know(part, "")
	}
	return s, nil
}

// know tells of all replicas of a part but one, which is given by its process, empty for none.
func (s *surroundings) know(part, but string) {
	all := slices.DeleteFunc(s.stack.ReplicasOf(part), func(r native.Replica) bool { return r.Process == but })
	hosts := make([]string, len(all))
	addresses := make([]netip.Addr, len(all))
	for i, r := range all {
		hosts[i], addresses[i] = r.Address, netip.MustParseAddr(r.Address)
	}
	if name := s.stack.ReplicasOf(part)[0].Name; name != "" {
		s.names.set(name, addresses)
		return
	}
	for _, e := range s.entrances {
		e.set(hosts)
	}
}

func (s *surroundings) close() error {
	var problems []error
	for _, e := range s.entrances {
		problems = append(problems, e.close())
	}
	return errors.Join(append(problems, s.names.close())...)
}

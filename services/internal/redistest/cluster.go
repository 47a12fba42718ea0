package redistest

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/nativetest"
)

// Cluster has three primaries, and a replica of the one that has the keys of a hash tag.
type Cluster struct {
	Owner, Replica *Server
	// Others are the primaries that don't have those keys.
	Others []*Server
	// Slot is the one of the keys.
	Slot int
	t    testing.TB
}

// slots is how many slots a cluster has.
const slots = 16384

// StartCluster starts a cluster. tag is a key, whose slot is Owner's. A node that is gone for a second is taken for
// dead.
func StartCluster(t testing.TB, tag string) *Cluster {
	t.Helper()
	var nodes []*Server
	for range 4 {
		_, bus, _ := net.SplitHostPort(nativetest.FreeAddress(t))
		s := &Server{Address: nativetest.FreeAddress(t), t: t, dir: t.TempDir(), options: []string{
			"--appendonly", "yes", "--appendfsync", "everysec", "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", bus,
		}}
		s.Start()
		host, port, _ := net.SplitHostPort(s.Address)
		if len(nodes) > 0 {
			nodes[0].do("cluster", "meet", host, port, bus)
		}
		nodes = append(nodes, s)
	}
	c := &Cluster{t: t}
	for i, node := range nodes[:3] {
		node.do("cluster", "addslotsrange", fmt.Sprint(i*slots/3), fmt.Sprint((i+1)*slots/3-1))
	}
	slot, _ := nodes[0].do("cluster", "keyslot", tag).(int64)
	c.Slot = int(slot)
	for i, node := range nodes[:3] {
		if c.Slot >= i*slots/3 && c.Slot < (i+1)*slots/3 {
			c.Owner = node
		} else {
			c.Others = append(c.Others, node)
		}
	}
	c.Replica = nodes[3]
	for _, node := range nodes {
		waitFor(t, "the cluster is ready", func(ctx context.Context) bool {
			info, _ := node.do("cluster", "info").(string)
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:4")
		})
	}
	c.Replica.do("cluster", "replicate", c.Owner.id())
	c.follows(c.Owner)
	return c
}

// Addresses are those of two nodes, with a comma between them.
func (c *Cluster) Addresses() string { return c.Others[0].Address + "," + c.Others[1].Address }

// Move gives the slot, with all that is in it, and the replica to another primary.
func (c *Cluster) Move(to *Server) {
	c.t.Helper()
	slot := fmt.Sprint(c.Slot)
	to.do("cluster", "setslot", slot, "importing", c.Owner.id())
	c.Owner.do("cluster", "setslot", slot, "migrating", to.id())
	host, port, _ := net.SplitHostPort(to.Address)
	for {
		keys, _ := c.Owner.do("cluster", "getkeysinslot", slot, "100").([]any)
		if len(keys) == 0 {
			break
		}
		c.Owner.do(append([]any{"migrate", host, port, "", "0", "5000", "keys"}, keys...)...)
	}
	for _, node := range append([]*Server{to, c.Owner}, c.Others...) {
		node.do("cluster", "setslot", slot, "node", to.id())
	}
	c.Replica.do("cluster", "replicate", to.id())
	c.follows(to)
}

// follows waits until the replica follows a primary, and others know that.
func (c *Cluster) follows(primary *Server) {
	c.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: c.Replica.Address})
	defer client.Close()
	linked(c.t, client)
	waitFor(c.t, "the primary has its replica", func(context.Context) bool {
		nodes, _ := c.Others[0].do("cluster", "nodes").(string)
		return strings.Contains(nodes, "slave "+primary.id())
	})
}

func (s *Server) id() string {
	s.t.Helper()
	id, _ := s.do("cluster", "myid").(string)
	return id
}

// do has the server do a command, and returns what it answers.
func (s *Server) do(command ...any) any {
	s.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: s.Address})
	defer client.Close()
	answer, err := client.Do(context.Background(), command...).Result()
	if err != nil {
		s.t.Fatalf("%v: %v", command, err)
	}
	return answer
}

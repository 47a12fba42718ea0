package redistest

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/internal/nativetest"
)

// Master is the name by which Sentinels know the primary.
const Master = "sallyport"

// Sentinels are three, which watch a primary and its replica.
type Sentinels struct {
	Primary, Replica *Server
	// Addresses are those of the Sentinels, with commas between them.
	Addresses string
}

// StartSentinels starts a primary, a replica and three Sentinels, which have the replica take over a second after
// the primary is gone.
func StartSentinels(t testing.TB) *Sentinels {
	t.Helper()
	primary := StartSyncing(t, "everysec")
	replica := StartSyncing(t, "everysec")
	follow(t, replica, primary)
	all := &Sentinels{Primary: primary, Replica: replica}
	var addresses []string
	for range 3 {
		addresses = append(addresses, startSentinel(t, primary))
	}
	for _, address := range addresses {
		client := redis.NewSentinelClient(&redis.Options{Addr: address})
		waitFor(t, "the Sentinels know each other and the replica", func(ctx context.Context) bool {
			others, _ := client.Sentinels(ctx, Master).Result()
			replicas, _ := client.Replicas(ctx, Master).Result()
			return len(others) == 2 && len(replicas) == 1 && client.CkQuorum(ctx, Master).Err() == nil
		})
		_ = client.Close()
	}
	all.Addresses = strings.Join(addresses, ",")
	return all
}

func startSentinel(t testing.TB, primary *Server) string {
	t.Helper()
	s := &Server{Address: nativetest.FreeAddress(t), t: t, dir: t.TempDir()}
	host, port, _ := net.SplitHostPort(s.Address)
	primaryHost, primaryPort, _ := net.SplitHostPort(primary.Address)
	file := filepath.Join(s.dir, "sentinel.conf")
	err := os.WriteFile(file, fmt.Appendf(nil, `bind %s
port %s
dir %s
sentinel monitor %[4]s %s %s 2
sentinel down-after-milliseconds %[4]s 1000
sentinel failover-timeout %[4]s 5000
`, host, port, s.dir, Master, primaryHost, primaryPort), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	s.run(file, "--sentinel")
	return s.Address
}

// follow has a server be a replica of another, and returns when it has what that one has.
func follow(t testing.TB, replica, primary *Server) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: replica.Address})
	defer client.Close()
	host, port, _ := net.SplitHostPort(primary.Address)
	err := client.ReplicaOf(t.Context(), host, port).Err()
	if err != nil {
		t.Fatalf("making a replica: %v", err)
	}
	linked(t, client)
}

// linked waits until a replica has what its primary has.
func linked(t testing.TB, replica *redis.Client) {
	t.Helper()
	waitFor(t, "the replica follows", func(ctx context.Context) bool {
		info, _ := replica.Info(ctx, "replication").Result()
		return strings.Contains(info, "master_link_status:up")
	})
}

// Cut takes a primary's replicas away from it, for good: what it answers from then on they don't have. Nobody else
// notices.
func (s *Server) Cut() {
	s.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: s.Address})
	defer client.Close()
	ctx := s.t.Context()
	err := client.Do(ctx, "acl", "setuser", "default", "-psync", "-sync").Err()
	if err == nil {
		err = client.Do(ctx, "client", "kill", "type", "replica").Err()
	}
	if err != nil {
		s.t.Fatalf("cutting a primary off: %v", err)
	}
}

// waitFor waits until something is so.
func waitFor(t testing.TB, what string, so func(context.Context) bool) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); !so(t.Context()); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it isn't so after %v that %s", startTimeout, what)
		}
	}
}

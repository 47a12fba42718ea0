package native

import (
	"cmp"
	"fmt"
	"os"
	"strings"
)

// Failover is what takes over from a Redis that fails. The zero value is nothing.
type Failover string

// The ways of Redis to fail over. With each, the process redis has the keys at first.
const (
	// Sentinel is a primary with two replicas, and three Sentinels.
	Sentinel Failover = "sentinel"
	// Cluster is three primaries, and a replica of the one that has Sallyport's keys.
	Cluster Failover = "cluster"
)

// SentinelMaster is the name by which the Sentinels know the primary.
const SentinelMaster = "sallyport"

// firstFailover is the first port of what a failover takes, and failoverCount how many there are: of three servers
// beside the first, and of three Sentinels, or of the bus of four nodes.
const (
	firstFailover = 40
	failoverCount = 7
)

// FailoverPorts are what FreePorts has to look for beside the stack's own, for a stack with a Failover.
func FailoverPorts() []int {
	offsets := make([]int, failoverCount)
	for i := range offsets {
		offsets[i] = firstFailover + i
	}
	return offsets
}

// redisPort is the port of the server n, from 0, which is the one named redis.
func (p Ports) redisPort(n int) int {
	if n == 0 {
		return p.port(redis)
	}
	return p.port(firstFailover + n - 1)
}

// busPort is the port of the Sentinel n, or of the node n for the others of its cluster.
func (p Ports) busPort(n int) int { return p.port(firstFailover + 3 + n) }

// RedisAddresses are those that clients are told: of the one Redis, of the Sentinels, or of nodes of the cluster.
func (s Stack) RedisAddresses() []string {
	switch s.Failover {
	case Sentinel:
		return []string{loopback(s.Ports.busPort(0)), loopback(s.Ports.busPort(1)), loopback(s.Ports.busPort(2))}
	case Cluster:
		return []string{loopback(s.Ports.redisPort(1)), loopback(s.Ports.redisPort(2))}
	}
	return []string{s.Ports.address(redis)}
}

// SentinelName is the name of the Sentinel n, from 0.
func SentinelName(n int) string { return fmt.Sprintf("sentinel-%d", n+1) }

// RedisServers are the addresses of a primary and its replicas, with Sentinels.
func (s Stack) RedisServers() []string {
	return []string{loopback(s.Ports.redisPort(0)), loopback(s.Ports.redisPort(1)), loopback(s.Ports.redisPort(2))}
}

// RedisAt is the name of the server at an address, empty for none.
func (s Stack) RedisAt(address string) string {
	for n := range 4 {
		if address == loopback(s.Ports.redisPort(n)) {
			return redisName(n)
		}
	}
	return ""
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// redisFlags are those by which a service finds Redis.
func (s Stack) redisFlags() string {
	flags := "--redis " + strings.Join(s.RedisAddresses(), ",")
	switch s.Failover {
	case Sentinel:
		flags += " --redis-sentinel-master " + SentinelMaster
	case Cluster:
		flags += " --redis-cluster"
	}
	return flags
}

// redisProcesses describes Redis, and what takes over from it.
func (s Stack) redisProcesses() map[string]*process {
	all := map[string]*process{"redis": s.redis(0, "")}
	switch s.Failover {
	case Sentinel:
		all["redis"] = s.redis(0, "--min-replicas-to-write 1")
		for n := 1; n < 3; n++ {
			all[redisName(n)] = s.redis(n, fmt.Sprintf("--min-replicas-to-write 1 --replicaof 127.0.0.1 %d", s.Ports.redisPort(0)))
		}
		for n := range 3 {
			name := SentinelName(n)
			all[name] = s.process(name, s.Parts.RedisServer, quote(s.path("data", name+".conf")), "--sentinel")
			all[name].after("redis")
		}
	case Cluster:
		for n := range 4 {
			all[redisName(n)] = s.redis(n, fmt.Sprintf("--cluster-enabled yes --cluster-node-timeout 1000 --cluster-port %d", s.Ports.busPort(n)))
		}
	}
	return all
}

func redisName(n int) string {
	if n == 0 {
		return "redis"
	}
	return fmt.Sprintf("redis-%d", n+1)
}

// redis describes the server n, with more options.
func (s Stack) redis(n int, more string) *process {
	name, port := redisName(n), s.Ports.redisPort(n)
	p := s.process(name, s.Parts.RedisServer,
		"--bind 127.0.0.1 --port", fmt.Sprint(port), "--dir", quote(s.path("data", name)),
		// Written before it is answered, unless a write to the disk is just under way (docs/chaos.md), on
		// disk within a second; never dropped for room.
		"--appendonly yes --appendfsync", cmp.Or(s.Fsync, "everysec"), "--maxmemory-policy noeviction --save ''", more, s.redisLog())
	p.Readiness = probed(&probe{Exec: &execute{pong(port)}})
	return p
}

// prepareRedis writes what Redis reads: for Sentinels, what they watch, which they write to themselves from then on;
// for a cluster, who has which keys. It is for a stack without data.
func (s Stack) prepareRedis() error {
	for n := range 4 {
		err := os.MkdirAll(s.path("data", redisName(n)), 0o755)
		if err != nil || s.Failover == "" {
			return err
		}
		file := s.path("data", redisName(n), "nodes.conf")
		if s.Failover == Cluster {
			err = os.WriteFile(file, []byte(s.nodes(n)), 0o644)
		} else if n < 3 {
			err = os.WriteFile(s.path("data", SentinelName(n)+".conf"), []byte(s.sentinel(n)), 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s Stack) sentinel(n int) string {
	return fmt.Sprintf(`bind 127.0.0.1
port %d
dir %s
sentinel monitor %[3]s 127.0.0.1 %d 2
sentinel down-after-milliseconds %[3]s 1000
sentinel failover-timeout %[3]s 5000
`, s.Ports.busPort(n), s.path("data"), SentinelMaster, s.Ports.redisPort(0))
}

// nodes is what the node n of a cluster knows of all at its first start. The first node has slot 10627, which is that of
// all of Sallyport's keys.
func (s Stack) nodes(n int) string {
	var text strings.Builder
	id := func(node int) string { return fmt.Sprintf("%040d", node+1) }
	for node, slots := range []string{"5461-10922", "0-5460", "10923-16383", ""} {
		flags, primary, epoch := "master", "-", node+1
		if node == 3 {
			flags, primary, epoch = "slave", id(0), 1
		}
		if node == n {
			flags = "myself," + flags
		}
		fmt.Fprintf(&text, "%s 127.0.0.1:%d@%d %s %s 0 0 %d connected %s\n", id(node), s.Ports.redisPort(node), s.Ports.busPort(node), flags, primary, epoch, slots)
	}
	return text.String() + "vars currentEpoch 3 lastVoteEpoch 0\n"
}

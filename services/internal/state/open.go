package state

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Open returns a store on the Redis at address, host:port. It doesn't connect: a Redis that is
// away shows as an error of each call, and is used as soon as it is back.
func Open(address string) *Store {
	return open(optionsFor([]string{address}))
}

// addressesIn splits what names one Redis, or several Sentinels or nodes of a cluster.
func addressesIn(text string, several bool) ([]string, error) {
	addresses := strings.Split(text, ",")
	for i, address := range addresses {
		addresses[i] = strings.TrimSpace(address)
		_, _, err := net.SplitHostPort(addresses[i])
		if err != nil {
			return nil, fmt.Errorf("--redis: %q isn't host:port: %w", addresses[i], err)
		}
	}
	if len(addresses) > 1 && !several {
		return nil, fmt.Errorf("--redis has %d addresses: say by --redis-sentinel-master that they are Sentinels, or by --redis-cluster that they are nodes of a cluster", len(addresses))
	}
	return addresses, nil
}

func optionsFor(addresses []string) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs:                 addresses,
		DialTimeout:           time.Second,
		ReadTimeout:           2 * time.Second,
		WriteTimeout:          2 * time.Second,
		ContextTimeoutEnabled: true,
		// A Redis that hands over to another, or is started again, takes calls again after a second or two, and Envoy waits
		// for five. These are three on average. Entries carry ids, so that one written twice is still one record.
		MaxRetries: 8, MinRetryBackoff: 100 * time.Millisecond, MaxRetryBackoff: 500 * time.Millisecond,
		// Each of them connects once.
		DialerRetries: 1,
		// Only Redis Enterprise knows such notifications, and go-redis, told no by another, writes that into options
		// which the connections share, without a lock that they share (redis.Client.Conn).
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// quiet has go-redis' own lines, which aren't JSON and say what errors say, too, be logged where debugging is.
var quiet = sync.OnceFunc(func() { redis.SetLogger(lines{}) })

type lines struct{}

// Printf is called by go-redis.
func (lines) Printf(ctx context.Context, format string, values ...any) {
	slog.DebugContext(ctx, "go-redis", "says", fmt.Sprintf(format, values...))
}

// clusterReload is how old what is known of a cluster may be, and so how long after a failover the node that
// took over is found.
const clusterReload = time.Second

func open(options *redis.UniversalOptions) *Store {
	quiet()
	s := &Store{stopped: make(chan struct{})}
	s.recent = recent{life: recentFor, wake: make(chan struct{}, 1)}
	if options.MasterName != "" || options.IsClusterMode {
		// Another server takes over that may not have what this one answered last.
		s.replicas, s.recent.life = 1, recentForReplicas
	}
	options.OnConnect = func(context.Context, *redis.Conn) error {
		s.recent.notice()
		return nil
	}
	impatient := *options
	impatient.MaxRetries, impatient.OnConnect = -1, nil
	s.redis, s.probe = clientOf(options), clientOf(&impatient)
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.watch(ctx)
	return s
}

func clientOf(options *redis.UniversalOptions) redis.UniversalClient {
	if !options.IsClusterMode {
		return redis.NewUniversalClient(options)
	}
	cluster := options.Cluster()
	cluster.ClusterStateReloadInterval = clusterReload
	return redis.NewClusterClient(cluster)
}

// node is the server that has the keys.
func (s *Store) node(ctx context.Context) (*redis.Client, error) {
	switch client := s.redis.(type) {
	case *redis.Client:
		return client, nil
	case *redis.ClusterClient:
		return client.MasterForKey(ctx, policyKey)
	}
	return nil, fmt.Errorf("a client of Redis of the type %T", s.redis)
}

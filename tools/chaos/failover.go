package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/tools/stack/native"
)

// redisAway kills the Redis that has the keys, which stays away until another has taken over and for the window, and
// starts it again.
func redisAway(ctx context.Context, s *scene) error {
	err := wait(ctx, time.Duration(s.random.Int64N(int64(2*time.Second))))
	if err != nil {
		return err
	}
	address, err := s.site.primary(ctx)
	if err != nil {
		return fmt.Errorf("finding the primary of Redis: %w", err)
	}
	part := s.site.stack.RedisAt(address)
	pid, err := s.pid(ctx, part, 0)
	if err != nil {
		return err
	}
	err = syscall.Kill(pid, syscall.SIGKILL)
	if err != nil {
		return fmt.Errorf("killing %s (process %d): %w", part, pid, err)
	}
	err = s.site.stack.StopPart(ctx, part)
	if err == nil {
		err = s.load.answeredAgain(ctx)
	}
	if err != nil {
		return err
	}
	s.say("  another than %s has taken over", part)
	err = wait(ctx, s.window)
	if err == nil {
		err = s.site.stack.StartPart(ctx, part)
	}
	if err != nil {
		return err
	}
	return follows(ctx, address)
}

// primary is the address of the Redis that has the keys.
func (s *site) primary(ctx context.Context) (string, error) {
	if s.stack.Failover == native.Sentinel {
		sentinel := redis.NewSentinelClient(&redis.Options{Addr: s.stack.RedisAddresses()[0]})
		defer func() { _ = sentinel.Close() }()
		address, err := sentinel.GetMasterAddrByName(ctx, native.SentinelMaster).Result()
		if err != nil {
			return "", err
		}
		return net.JoinHostPort(address[0], address[1]), nil
	}
	cluster, ok := s.redis.(*redis.ClusterClient)
	if !ok {
		return s.RedisAddr, nil
	}
	node, err := cluster.MasterForKey(ctx, streamKey)
	if err != nil {
		return "", err
	}
	return node.Options().Addr, nil
}

// follows waits until a Redis that was started is a replica with what the primary has.
func follows(ctx context.Context, address string) error {
	client := redis.NewClient(&redis.Options{Addr: address})
	defer func() { _ = client.Close() }()
	for started := time.Now(); ; {
		info, err := client.Info(ctx, "replication").Result()
		if err == nil && strings.Contains(info, "master_link_status:up") {
			return nil
		}
		if time.Since(started) > backAgain {
			return fmt.Errorf("Redis at %s is no replica %s after it was started, error %w: %s", address, backAgain, err, info)
		}
		err = wait(ctx, 100*time.Millisecond)
		if err != nil {
			return err
		}
	}
}

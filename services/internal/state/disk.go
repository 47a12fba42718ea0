package state

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// diskTimeout is how long Redis may take to have a change on its disk. With "appendfsync everysec" it begins
// within a second, and a busy disk takes a while.
const diskTimeout = 5 * time.Second

// ErrNotOnDisk means that a change is made, and binds, but that Redis didn't say in time that it has it on its
// disk, or on a replica: it is undone if Redis is killed before that. What a method returns beside this error is true.
var ErrNotOnDisk = errors.New("Redis didn't say that it has it on its disk")

// errNoReplica is why a change may be undone that is on the disk.
var errNoReplica = fmt.Errorf("%w and on a replica", ErrNotOnDisk)

// change is call for what an admin changes and for what ends a sign-in: it returns when Redis wouldn't lose that
// by being killed, also where a replica takes over. The answer is nil where the function didn't run; with ErrNotOnDisk it did.
func (s *Store) change(ctx context.Context, function string, keys []string, args ...any) ([]any, error) {
	conn, err := s.conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	reply, err := s.callOn(ctx, conn, function, keys, args...)
	if err != nil {
		return nil, err
	}
	return reply, s.kept(ctx, conn)
}

// conn is one connection to the server that has the keys.
func (s *Store) conn(ctx context.Context) (*redis.Conn, error) {
	if cluster, ok := s.redis.(*redis.ClusterClient); ok {
		// A connection isn't sent on to another node, so that what is known of the cluster has to be of this
		// moment; to go through its nodes asks for that.
		err := cluster.ForEachMaster(ctx, func(context.Context, *redis.Client) error { return nil })
		if err != nil {
			return nil, fmt.Errorf("asking the cluster which node has the keys: %w", err)
		}
	}
	node, err := s.node(ctx)
	if err != nil {
		return nil, fmt.Errorf("finding Redis: %w", err)
	}
	return node.Conn(), nil
}

// kept waits until what was written by a connection is on the disk, and where another server may take over, on one
// that can.
func (s *Store) kept(ctx context.Context, conn *redis.Conn) error {
	if s.replicas > 0 {
		confirmed, err := conn.Wait(ctx, s.replicas, diskTimeout).Result()
		if err != nil {
			return fmt.Errorf("%w: %w", errNoReplica, err)
		}
		if confirmed < int64(s.replicas) {
			return fmt.Errorf("%w within %v", errNoReplica, diskTimeout)
		}
	}
	return onDisk(ctx, conn)
}

// onDisk waits until Redis has on its disk what was written by a connection. A connection that breaks meanwhile
// isn't replaced by another, of which Redis would confirm that it wrote nothing.
func onDisk(ctx context.Context, conn *redis.Conn) error {
	settings, err := conn.ConfigGet(ctx, "appendfsync").Result()
	if err == nil && settings["appendfsync"] == "no" {
		// Whoever runs Redis so doesn't want it to wait for its disk, and it never says that it has something there.
		return nil
	}
	confirmed, err := conn.WaitAOF(ctx, 1, 0, diskTimeout).Result()
	switch {
	case err == nil && len(confirmed) > 0 && confirmed[0] > 0:
		return nil
	case err == nil:
		return fmt.Errorf("%w within %v", ErrNotOnDisk, diskTimeout)
	case strings.Contains(err.Error(), "appendonly is disabled"), strings.Contains(err.Error(), "unknown command"):
		// It has no such file, or keeps what it is told in a way of its own.
		return nil
	}
	return fmt.Errorf("%w: %w", ErrNotOnDisk, err)
}

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
// disk: it is undone if Redis is killed before that. What a method returns beside this error is true.
var ErrNotOnDisk = errors.New("Redis didn't say that it has it on its disk")

// change is call for what an admin changes and for what ends a sign-in: it returns when Redis wouldn't lose that
// by being killed. The answer is nil where the function didn't run; with ErrNotOnDisk it did.
func (s *Store) change(ctx context.Context, function string, keys []string, args ...any) ([]any, error) {
	conn := s.redis.Conn()
	defer func() { _ = conn.Close() }()
	reply, err := callOn(ctx, conn, function, keys, args...)
	if err != nil {
		return nil, err
	}
	return reply, onDisk(ctx, conn)
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

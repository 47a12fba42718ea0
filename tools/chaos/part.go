package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"time"
)

const elasticsearch = "elasticsearch"

// kill kills a part at once, and returns when its supervisor has started it again. It doesn't wait until the
// part is ready.
func (s *scene) kill(ctx context.Context, part string) error {
	killed, err := s.pid(ctx, part, 0)
	if err != nil {
		return err
	}
	if part == "redis" && s.random.IntN(2) == 0 {
		err = s.writing(ctx)
		if err != nil {
			return err
		}
	}
	err = syscall.Kill(killed, syscall.SIGKILL)
	if err != nil {
		return fmt.Errorf("killing %s (process %d): %w", part, killed, err)
	}
	_, err = s.pid(ctx, part, killed)
	return err
}

// writing waits until Redis has a write to the disk under way, three seconds at most: it may hold answered
// writes back in its memory then (appendfsync everysec), which is the worst moment for it to be killed.
func (s *scene) writing(ctx context.Context) error {
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
		info, err := s.site.redis.Info(ctx, "persistence").Result()
		if err == nil && strings.Contains(info, "aof_pending_bio_fsync:1") {
			return nil
		}
		if err != nil { // it is being started
			err = wait(ctx, 10*time.Millisecond)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// pid waits until a part runs as another process than former, and returns its id.
func (s *scene) pid(ctx context.Context, part string, former int) (int, error) {
	for started := time.Now(); ; {
		all, err := s.site.stack.PIDs(ctx)
		if pid := all[part]; err == nil && pid > 0 && pid != former {
			return pid, nil
		}
		if time.Since(started) > backAgain {
			return 0, fmt.Errorf("%s doesn't run again after %s", part, backAgain)
		}
		err = wait(ctx, 20*time.Millisecond)
		if err != nil {
			return 0, err
		}
	}
}

// stopElasticsearch kills it, and keeps its supervisor from starting it again.
func (s *scene) stopElasticsearch(ctx context.Context) error {
	pid, err := s.pid(ctx, elasticsearch, 0)
	if err != nil {
		return err
	}
	err = syscall.Kill(pid, syscall.SIGKILL)
	if err != nil {
		return fmt.Errorf("killing Elasticsearch (process %d): %w", pid, err)
	}
	return s.site.stack.StopPart(ctx, elasticsearch)
}

// startElasticsearch starts it again, and returns when it can be written to.
func (s *scene) startElasticsearch(ctx context.Context) error {
	err := s.site.stack.StartPart(ctx, elasticsearch)
	if err != nil {
		return err
	}
	for started := time.Now(); ; {
		var health struct{ Status string }
		err = ask(ctx, http.MethodGet, s.site.ElasticsearchURL+"/_cluster/health?wait_for_status=yellow&timeout=1s", "", &health)
		if err == nil {
			return nil
		}
		if time.Since(started) > backAgain {
			return fmt.Errorf("Elasticsearch isn't ready again after %s: %w", backAgain, err)
		}
		err = wait(ctx, 200*time.Millisecond)
		if err != nil {
			return err
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/tools/signin"
	"sallyport/tools/stack/native"
)

const (
	// untold is how long a replica goes on after its name has lost it, and Envoy at least after new connections go
	// elsewhere: what the chart says (preStop).
	untold = 15 * time.Second
	// longestCall is how long Envoy lets calls under way take.
	longestCall = 30 * time.Second
	// lookInEvery is how often somebody signs in, and an admin asks for the policy, while all is restarted.
	lookInEvery = 10 * time.Second
	// sentinels is how many Sentinels there are.
	sentinels = 3
)

// rolling restarts every process, one after another, as an upgrade does, for the time of rolling and at least once.
func rolling(ctx context.Context, s *scene) error {
	visits := s.visit(ctx)
	defer func() { s.failed = append(s.failed, visits()...) }()
	for began, round := time.Now(), 1; round == 1 || time.Since(began) < s.rolling; round++ {
		for _, part := range native.Replicated {
			for _, r := range s.site.stack.ReplicasOf(part) {
				err := s.replace(ctx, r)
				if err != nil {
					return fmt.Errorf("restarting %s: %w", r.Process, err)
				}
			}
		}
		err := errors.Join(s.restartRedis(ctx), s.restartSentinels(ctx))
		if err == nil {
			err = s.restartElasticsearch(ctx)
		}
		if err != nil {
			return err
		}
		s.say("  round %d: every process has been restarted", round)
	}
	return nil
}

// replace stops a replica as Kubernetes does, and starts it again, of the version that is to be.
func (s *scene) replace(ctx context.Context, r native.Replica) error {
	began := time.Now()
	s.site.around.know(r.Part, r.Process)
	err := s.retire(ctx, r)
	if err == nil {
		err = s.restart(ctx, r.Process, func() error { return s.site.stack.Renew(r) })
	}
	if err != nil {
		return err
	}
	s.site.around.know(r.Part, "")
	s.say("  %s: %.0f s", r.Process, time.Since(began).Seconds())
	return nil
}

// retire waits until a replica has nothing to do any more.
func (s *scene) retire(ctx context.Context, r native.Replica) error {
	if r.AdminURL == "" {
		return wait(ctx, untold)
	}
	drain := exec.CommandContext(ctx, filepath.Join(s.site.stack.Root, "bin", "drain"), "--admin", r.AdminURL, "--least", untold.String(), "--most", longestCall.String())
	out, err := drain.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// restart stops a part, does something, starts it again and waits until it is ready.
func (s *scene) restart(ctx context.Context, part string, between func() error) error {
	former, err := s.pid(ctx, part, 0)
	if err == nil {
		err = s.site.stack.StopPart(ctx, part)
	}
	if err == nil {
		err = between()
	}
	if err == nil {
		err = s.site.stack.StartPart(ctx, part)
	}
	if err == nil {
		_, err = s.pid(ctx, part, former)
	}
	if err != nil {
		return err
	}
	for started := time.Now(); !s.site.stack.Ready(ctx, part); {
		if time.Since(started) > backAgain {
			return fmt.Errorf("%s isn't ready %s after it was started", part, backAgain)
		}
		err = wait(ctx, 200*time.Millisecond)
		if err != nil {
			return err
		}
	}
	return nil
}

func nothing() error { return nil }

// restartRedis restarts the replicas, has one take over by an agreement with the primary, and restarts that.
func (s *scene) restartRedis(ctx context.Context) error {
	primary, err := s.site.primary(ctx)
	if err != nil {
		return fmt.Errorf("finding the primary of Redis: %w", err)
	}
	for _, address := range s.site.stack.RedisServers() {
		if address == primary {
			continue
		}
		err = s.restartServer(ctx, address)
		if err != nil {
			return err
		}
	}
	sentinel := redis.NewSentinelClient(&redis.Options{Addr: s.site.stack.RedisAddresses()[0]})
	defer func() { _ = sentinel.Close() }()
	err = sentinel.Process(ctx, redis.NewStatusCmd(ctx, "SENTINEL", "FAILOVER", native.SentinelMaster, "COORDINATED"))
	if err != nil {
		return fmt.Errorf("having another Redis take over: %w", err)
	}
	s.say("  Redis hands over")
	for started := time.Now(); ; {
		now, err := s.site.primary(ctx)
		if err == nil && now != primary {
			break
		}
		if time.Since(started) > backAgain {
			return fmt.Errorf("no other Redis has taken over after %s: %w", backAgain, err)
		}
		err = wait(ctx, 100*time.Millisecond)
		if err != nil {
			return err
		}
	}
	return s.restartServer(ctx, primary)
}

// restartServer restarts a Redis that is a replica, and waits until it has what the primary has.
func (s *scene) restartServer(ctx context.Context, address string) error {
	err := follows(ctx, address)
	if err == nil {
		err = s.restart(ctx, s.site.stack.RedisAt(address), nothing)
	}
	if err == nil {
		err = follows(ctx, address)
	}
	if err == nil {
		s.say("  %s", s.site.stack.RedisAt(address))
	}
	return err
}

func (s *scene) restartSentinels(ctx context.Context) error {
	for n := range sentinels {
		err := s.restart(ctx, native.SentinelName(n), nothing)
		if err != nil {
			return err
		}
	}
	s.say("  the Sentinels")
	return nil
}

func (s *scene) restartElasticsearch(ctx context.Context) error {
	err := s.restart(ctx, elasticsearch, nothing)
	if err == nil {
		s.say("  Elasticsearch")
	}
	return err
}

// visit has people sign in, and an admin ask for the policy, until what it returns is called, which tells what failed.
func (s *scene) visit(ctx context.Context) (failed func() []string) {
	ctx, stop := context.WithCancel(ctx)
	var problems []string
	var visiting sync.WaitGroup
	visiting.Go(func() {
		for n := 1; wait(ctx, lookInEvery) == nil; n++ {
			_, err := signin.In(ctx, s.site.MCPURL, "Sallyport chaos", emails[n%len(emails)])
			if err != nil && ctx.Err() == nil {
				problems = append(problems, fmt.Sprintf("sign-in %d: %v", n, err))
			}
			_, err = s.site.Command(ctx, "policy", "get")
			if err != nil && ctx.Err() == nil {
				problems = append(problems, fmt.Sprintf("an admin's question %d: %v", n, err))
			}
		}
	})
	return func() []string {
		stop()
		visiting.Wait()
		return problems
	}
}

// nothingFailed says whether somebody noticed.
func nothingFailed(s *scene, r result) []string {
	problems := s.failed
	if n := r.Refused + r.Unanswered; n > 0 {
		problems = append(problems, fmt.Sprintf("%d calls failed", n))
	}
	return problems
}

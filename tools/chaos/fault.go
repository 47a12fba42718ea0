package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"sallyport/tools/stack/native"
)

// scene is what a fault works on.
type scene struct {
	site   *site
	load   *load
	random *rand.Rand
	say    func(string, ...any)
	// window is how long the fault lasts, away how long Elasticsearch is.
	window, away time.Duration
	// rolling is for how long everything is restarted again and again, 0 for once.
	rolling time.Duration
	// warned is what the status said of the stream before the first call was refused, empty for nothing.
	warned string
	// failed is what people and admins met while everything was restarted.
	failed []string
}

// fault is one way to break it.
type fault struct {
	name, does string
	// limit is the stream's, 0 for the default, and disk how large the disk of Redis and Elasticsearch is, in
	// MiB, 0 for as large as the folder's.
	limit, disk int
	// failover is what takes over from Redis, and replicas how many there are of Envoy and each service, 0 for one.
	failover native.Failover
	replicas int
	do       func(context.Context, *scene) error
	// check returns what else went otherwise than it should.
	check func(*scene, result) []string
}

// streamLimit is the limit of the stream in the fault that reaches it.
const streamLimit = 3000

var faults = []fault{
	{name: "accesslog", does: "accesslog is killed again and again", do: killing("accesslog")},
	{name: "authz", does: "authz is killed again and again", do: killing("authz")},
	{name: "envoy", does: "Envoy is killed again and again", do: killing("envoy")},
	{name: "redis", does: "Redis is killed again and again", do: killing("redis")},
	{name: "sentinel", does: "the primary of Redis is killed, and Sentinels have a replica take over", failover: native.Sentinel, do: redisAway},
	{name: "cluster", does: "the node of a cluster of Redis that has the keys is killed, and its replica takes over", failover: native.Cluster, do: redisAway},
	{name: "rolling", does: "every process is stopped and started, one after another, as an upgrade does", failover: native.Sentinel, replicas: 2, do: rolling, check: nothingFailed},
	{name: "elasticsearch", does: "Elasticsearch is killed and stays away", do: elasticsearchAway},
	{name: "mapping-conflict", does: "Elasticsearch refuses some records for what they are", do: poisoning, check: poisonKeptAside},
	{name: "disk-full", does: "the disk of Redis and Elasticsearch is full", disk: diskSize, do: diskFull, check: nothingAside},
	{name: "disk-flood", does: "Elasticsearch has made its indices read-only, as it does before its disk is full", do: diskFlood, check: nothingAside},
	{name: "stream-full", does: "Elasticsearch is away until the stream is at its limit", limit: streamLimit, do: streamFull, check: refusedForThat},
}

func faultNamed(name string) *fault {
	for i := range faults {
		if faults[i].name == name {
			return &faults[i]
		}
	}
	return nil
}

func faultNames() string {
	var names []string
	for _, f := range faults {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}

// killing kills a part by SIGKILL, waits until it runs again, and goes on so for the window.
func killing(part string) func(context.Context, *scene) error {
	return func(ctx context.Context, s *scene) error {
		kills := 0
		for end := time.Now().Add(s.window); time.Now().Before(end); kills++ {
			// A moment in two seconds, so that some are while the part starts.
			err := wait(ctx, time.Duration(s.random.Int64N(int64(2*time.Second))))
			if err != nil {
				return err
			}
			err = s.kill(ctx, part)
			if err != nil {
				return err
			}
		}
		s.say("  killed %d times", kills)
		return nil
	}
}

// elasticsearchAway kills Elasticsearch, and starts it again after a while.
func elasticsearchAway(ctx context.Context, s *scene) error {
	err := wait(ctx, time.Duration(s.random.Int64N(int64(2*time.Second))))
	if err != nil {
		return err
	}
	err = s.stopElasticsearch(ctx)
	if err != nil {
		return err
	}
	for end := time.Now().Add(s.away); time.Now().Before(end); {
		err = wait(ctx, min(30*time.Second, time.Until(end)))
		if err != nil {
			return err
		}
		length, _ := s.site.redis.XLen(ctx, streamKey).Result()
		s.say("  %d entries wait to be indexed", length)
	}
	return s.startElasticsearch(ctx)
}

// diskFlood does what Elasticsearch does to its indices at the flood stage of its disk (95 % full by
// default), and takes it back as it does once there is room again.
func diskFlood(ctx context.Context, s *scene) error {
	var answer struct{ Acknowledged bool }
	err := ask(ctx, http.MethodPut, s.site.ElasticsearchURL+indices+"/_settings?allow_no_indices=true", `{"index.blocks.read_only_allow_delete":true}`, &answer)
	if err != nil {
		return fmt.Errorf("making the indices read-only: %w", err)
	}
	err = wait(ctx, s.window)
	if err != nil {
		return err
	}
	return ask(ctx, http.MethodPut, s.site.ElasticsearchURL+indices+"/_settings?allow_no_indices=true", `{"index.blocks.read_only_allow_delete":null}`, &answer)
}

func nothingAside(_ *scene, r result) []string {
	if r.Aside > 0 {
		return []string{fmt.Sprintf("%d records were set aside that only had to wait", r.Aside)}
	}
	return nil
}

// streamFull keeps Elasticsearch away until calls are refused, and for a while after that.
func streamFull(ctx context.Context, s *scene) error {
	err := s.stopElasticsearch(ctx)
	if err != nil {
		return err
	}
	for started := time.Now(); s.load.soFar(refused) == 0; {
		if time.Since(started) > time.Minute {
			return fmt.Errorf("no call is refused, a minute after Elasticsearch went away")
		}
		s.readStatus(ctx)
		err = wait(ctx, 200*time.Millisecond)
		if err != nil {
			return err
		}
	}
	err = wait(ctx, 2*time.Second)
	if err != nil {
		return err
	}
	return s.startElasticsearch(ctx)
}

// readStatus keeps what an admin reads of the stream while no call is refused yet.
func (s *scene) readStatus(ctx context.Context) {
	// It says no, since Elasticsearch is down, and tells all the same.
	out, _ := s.site.Command(ctx, "status", "--json")
	var status struct {
		Parts []struct{ Name, Detail string }
	}
	if json.Unmarshal(out, &status) != nil || s.warned != "" || s.load.soFar(refused) > 0 {
		return
	}
	for _, p := range status.Parts {
		if p.Name == "accesslog" && strings.Contains(p.Detail, "wait to be indexed; at the limit") {
			s.warned = p.Detail
			s.say("  the status says: %s", p.Detail)
		}
	}
}

// refusedForThat says whether calls were refused for that reason, and no other, and that was said before.
func refusedForThat(s *scene, r result) []string {
	var problems []string
	if s.warned == "" {
		problems = append(problems, "the status didn't warn before calls were refused")
	}
	full := 0
	for reason, n := range r.Reasons {
		if strings.Contains(reason, "record is full") {
			full += n
		} else {
			problems = append(problems, fmt.Sprintf("%d calls were refused because: %s", n, reason))
		}
	}
	if full == 0 {
		problems = append(problems, "no call was refused because the record is full")
	}
	return problems
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"github.com/redis/go-redis/v9"

	"sallyport/tools/bench/series"
)

// floors are how much is no growth, by what is looked at, in its unit. What isn't here may grow.
var floors = map[string]float64{"memory": 16, "descriptors": 32, "goroutines": 32, "stream": 1000, "p50": 2, "p99": 10, "failed": 0}

// watched are the processes that are looked at.
var watched = []string{"authz", "identity", "accesslog", "admin", "envoy", "redis", "elasticsearch"}

// lookTimeout is how long a part may take to say what is asked of it.
const lookTimeout = 20 * time.Second

// watch looks at everything each time Every has passed, until the end.
func (s *soaking) watch(ctx context.Context) error {
	client := redis.NewClient(&redis.Options{Addr: s.site.RedisAddr})
	defer func() { _ = client.Close() }()
	first, err := s.pids(ctx)
	if err != nil {
		return err
	}
	tick := time.NewTicker(s.Soak.Every)
	defer tick.Stop()
	for range int(s.Soak.For / s.Soak.Every) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now, err := s.pids(ctx)
		if err != nil {
			return err
		}
		if !maps.Equal(first, now) {
			s.problem("a part has ended and was started again: %v became %v", first, now)
			first = now
		}
		err = s.look(ctx, client, now)
		if err != nil {
			s.problem("looking: %v", err)
		}
	}
	return nil
}

// pids are those of the processes that are looked at.
func (s *soaking) pids(ctx context.Context) (map[string]int, error) {
	all, err := s.stack.PIDs(ctx)
	if err != nil {
		return nil, err
	}
	maps.Copy(all, s.own.pids())
	maps.DeleteFunc(all, func(name string, _ int) bool { return !slices.Contains(watched, name) })
	return all, nil
}

// look adds a point to each series.
func (s *soaking) look(ctx context.Context, client *redis.Client, pids map[string]int) error {
	s.lookAtCalls()
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	for _, name := range watched {
		process, err := procfs.NewProc(pids[name])
		if err != nil {
			return fmt.Errorf("%s (process %d) has ended: %w", name, pids[name], err)
		}
		stat, err := process.Stat()
		if err != nil {
			return fmt.Errorf("what %s uses: %w", name, err)
		}
		open, err := process.FileDescriptorsLen()
		if err != nil {
			return fmt.Errorf("what %s has open: %w", name, err)
		}
		s.point("memory", name, "MiB", float64(stat.ResidentMemory())/(1<<20))
		s.point("descriptors", name, "", float64(open))
	}
	urls := s.stack.Ports.MetricsURLs()
	delete(urls, "envoy") // which has none
	for _, name := range slices.Sorted(maps.Keys(urls)) {
		running, err := metric(ctx, urls[name], "go_goroutines")
		if err != nil {
			return err
		}
		s.point("goroutines", name, "", running)
	}
	err := s.lookAtStream(ctx, client)
	if err != nil {
		return err
	}
	return s.lookAtKept(ctx, client)
}

// lookAtCalls adds what came of the calls since it was last looked.
func (s *soaking) lookAtCalls() {
	s.mu.Lock()
	took := s.took
	s.took = nil
	failed := 0
	for _, n := range s.Failed {
		failed += n
	}
	s.mu.Unlock()
	slices.Sort(took)
	s.point("latency", "p50", "ms", percentile(took, 0.5))
	s.point("latency", "p99", "ms", percentile(took, 0.99))
	s.point("calls", "answered", "a second", float64(len(took))/s.Soak.Every.Seconds())
	s.point("failed", "calls", "", float64(failed))
}

// lookAtStream adds how many entries wait to be indexed, and for how long the oldest has.
func (s *soaking) lookAtStream(ctx context.Context, client *redis.Client) error {
	length, err := client.XLen(ctx, activityKey).Result()
	if err != nil {
		return fmt.Errorf("how many records wait: %w", err)
	}
	oldest, err := client.XRangeN(ctx, activityKey, "-", "+", 1).Result()
	if err != nil {
		return fmt.Errorf("which record waits: %w", err)
	}
	waited := 0.0
	if len(oldest) > 0 {
		began, _, _ := strings.Cut(oldest[0].ID, "-")
		milliseconds, err := strconv.ParseInt(began, 10, 64)
		if err != nil {
			return fmt.Errorf("when a record was written down: %w", err)
		}
		waited = max(0, time.Since(time.UnixMilli(milliseconds)).Seconds()*1000)
	}
	s.point("stream", "entries", "", float64(length))
	s.point("stream", "oldest", "ms", waited)
	return nil
}

// lookAtKept adds what grows as it should: records are kept, and so are policies and registrations.
func (s *soaking) lookAtKept(ctx context.Context, client *redis.Client) error {
	keys, err := client.DBSize(ctx).Result()
	if err != nil {
		return fmt.Errorf("how many keys Redis has: %w", err)
	}
	var answer struct{ Count int }
	err = getJSON(ctx, s.site.ElasticsearchURL+"/sallyport-activity-*/_count", &answer)
	if err != nil {
		return fmt.Errorf("how many records there are: %w", err)
	}
	s.point("kept", "keys", "", float64(keys))
	s.point("kept", "records", "", float64(answer.Count))
	return nil
}

// point adds one to a series, which it begins where there is none.
func (s *soaking) point(kind, of, unit string, figure float64) {
	i := slices.IndexFunc(s.Series, func(one series.Series) bool { return one.Kind == kind && one.Of == of })
	if i < 0 {
		floor, judged := floors[kind]
		if !judged {
			floor, judged = floors[of]
		}
		s.Series = append(s.Series, series.Series{Kind: kind, Of: of, Unit: unit, Floor: floor, MayGrow: !judged, Warm: int(s.Soak.Warm / s.Soak.Every)})
		i = len(s.Series) - 1
	}
	s.Series[i].Points = append(s.Series[i].Points, figure)
}

// metric is a gauge without labels of a service.
func metric(ctx context.Context, url, name string) (float64, error) {
	response, err := get(ctx, url)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		value, ok := strings.CutPrefix(lines.Text(), name+" ")
		if ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", url, name)
}

func getJSON(ctx context.Context, url string, into any) error {
	response, err := get(ctx, url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(into)
}

// get asks for a page, and returns an error where it isn't there.
func get(ctx context.Context, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("%s answered %s", url, response.Status)
	}
	return response, nil
}

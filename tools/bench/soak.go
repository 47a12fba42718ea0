package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sallyport/tools/bench/series"
)

// soakSize is how many bytes a call has during a soak.
const soakSize = 1024

type soak struct {
	For    time.Duration `help:"How long it calls." default:"40m"`
	Rate   int           `help:"Calls a second; half of the most that it can do with their records, which is measured first, where it isn't said." placeholder:"N"`
	Most   time.Duration `help:"How long the most calls a second are measured." default:"1m"`
	Every  time.Duration `help:"How often it looks." default:"1m"`
	Warm   time.Duration `help:"How long everything may take to come to its size." default:"5m"`
	Change time.Duration `help:"How long it waits from one change to the next: a policy is saved, a connection ended and made anew, a person put in another group, in turn." default:"3s"`
}

// Validate is called by kong.
func (s *soak) Validate() error {
	switch {
	case s.Rate < 0 || s.Most < time.Second || s.Every < time.Second || s.Warm < 0:
		return errors.New("--rate is from 1, --most and --every from 1s, and --warm from 0s")
	case s.Change < 2*time.Second:
		return errors.New("--change is from 2s: an address may register 120 assistants in ten minutes")
	case s.For < s.Warm+series.Least*s.Every:
		return fmt.Errorf("--for has to be at least --warm and %d times --every, which is %s, for anything to be said of what grows", series.Least, s.Warm+series.Least*s.Every)
	}
	return nil
}

// Help is what --help says of it.
func (soak) Help() string {
	return `Twelve assistants of three people call at half of the most calls a second, while policies are saved, connections ended and made anew, and groups changed; each of these has to bind the next call. It says which of memory, goroutines, descriptors, waiting records and latency grow, and writes soak.json and plots (SVG) into its folder.

Examples:
  bench soak --dir .run/soak
  bench soak --for 24h --rate 500
  bench soak --for 1m --every 5s --warm 10s --most 5s   # whether it works`
}

// soaked is what came of a soak.
type soaked struct {
	Began   time.Time `json:"began"`
	Minutes float64   `json:"minutes"`
	// Most is how many calls a second were answered at most, counting the time until their records were indexed, 0 where it wasn't
	// measured, and Rate how many were made.
	Most float64 `json:"most"`
	Rate int     `json:"rate"`
	// Calls is how many were answered by 200, and Failed how many not, by reason.
	Calls  int            `json:"calls"`
	Failed map[string]int `json:"failed"`
	// Changes is how often what was changed, and Problems what didn't bind the next call, or otherwise went wrong.
	Changes  map[string]int  `json:"changes"`
	Problems []string        `json:"problems"`
	Series   []series.Series `json:"series"`
}

// OK says that nothing failed and nothing grows.
func (s *soaked) OK() bool {
	return len(s.Failed)+len(s.Problems)+len(series.Growing(s.Series)) == 0
}

// soaking is a soak under way.
type soaking struct {
	*bench
	seats []*seat

	mu sync.Mutex
	soaked
	// took is how long calls took since it was last looked.
	took []time.Duration
}

// problem keeps what went wrong, the first of many.
func (s *soaking) problem(format string, values ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	said := fmt.Sprintf(format, values...)
	if len(s.Problems) < 100 {
		s.Problems = append(s.Problems, said)
	}
	s.say("%s", said)
}

// startSoak does it, prints what came of it, and returns the exit code.
func (b *bench) startSoak(ctx context.Context) int {
	came, err := b.soak(ctx)
	if err != nil {
		return b.unable(err)
	}
	if b.JSON {
		printJSON(came)
	} else {
		came.print(os.Stdout)
	}
	if !came.OK() {
		return exitGrows
	}
	return 0
}

// soak calls for a long time, and writes what it saw. Everything that it started is stopped.
func (b *bench) soak(ctx context.Context) (_ *soaked, err error) {
	defer func() { err = errors.Join(err, b.close()) }()
	err = b.open(ctx)
	if err != nil {
		return nil, err
	}
	s := &soaking{bench: b, soaked: soaked{Failed: map[string]int{}, Changes: map[string]int{}, Rate: b.Soak.Rate}}
	err = s.prepare(ctx)
	if err != nil {
		return nil, err
	}
	b.say("%d calls a second for %s", s.Rate, b.Soak.For)
	s.Began = time.Now()
	calling, halt := context.WithCancel(ctx)
	defer halt()
	var going sync.WaitGroup
	going.Go(func() { s.call(calling) })
	going.Go(func() { s.change(calling) })
	err = s.watch(ctx)
	halt()
	going.Wait()
	s.Minutes = time.Since(s.Began).Minutes()
	// What was seen until then is kept also where it was stopped.
	return &s.soaked, errors.Join(err, s.write(b.Dir))
}

// prepare signs everybody in, and measures how many calls a second it can do.
func (s *soaking) prepare(ctx context.Context) error {
	err := s.site.Apply(ctx, soakPolicy(false))
	if err != nil {
		return err
	}
	err = s.sit(ctx)
	if err != nil || s.Rate > 0 {
		return err
	}
	s.say("Measuring how many calls a second it can do")
	token, err := s.token.Token()
	if err != nil {
		return err
	}
	began := time.Now()
	most, err := saturated(ctx, callOf(s.site.MCPURL, s.host, token.AccessToken, soakSize, false), s.Many, s.Soak.Most)
	if err != nil {
		return err
	}
	called := time.Since(began)
	s.say("%.0f a second are answered; waiting until all records are indexed", most.Rate)
	err = s.settled(ctx)
	if err != nil {
		return err
	}
	// What isn't indexed meanwhile is indexed later, and would wait longer and longer.
	s.Most = most.Rate * called.Seconds() / time.Since(began).Seconds()
	s.Rate = max(1, int(s.Most/2))
	s.say("%.0f a second with their records", s.Most)
	return nil
}

// write writes the results and the plots.
func (s *soaking) write(folder string) error {
	text, err := json.MarshalIndent(&s.soaked, "", "  ")
	if err != nil {
		return err
	}
	err = os.WriteFile(filepath.Join(folder, "soak.json"), append(text, '\n'), 0o644)
	if err != nil {
		return err
	}
	return series.Plot(folder, s.Series, s.Soak.Every)
}

// print says what came of it.
func (s *soaked) print(out io.Writer) {
	fmt.Fprintf(out, "%d calls in %.0f minutes, %d a second", s.Calls, s.Minutes, s.Rate)
	if s.Most > 0 {
		fmt.Fprintf(out, " (%.0f at most)", s.Most)
	}
	fmt.Fprintf(out, "; meanwhile %d policies were saved, %d connections ended and made anew, and people's groups changed %d times.\n\n",
		s.Changes["policy"], s.Changes["connection"], s.Changes["groups"])
	series.Table(out, s.Series)
	fmt.Fprintln(out)
	for reason, n := range s.Failed {
		fmt.Fprintf(out, "%d calls failed: %s\n", n, reason)
	}
	for _, problem := range s.Problems {
		fmt.Fprintln(out, problem)
	}
	for _, grows := range series.Growing(s.Series) {
		fmt.Fprintf(out, "%s of %s grows.\n", grows.Kind, grows.Of)
	}
	if s.OK() {
		fmt.Fprintln(out, "No call failed, everything bound the next call, and nothing grows that shouldn't.")
	}
}

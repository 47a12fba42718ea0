package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// askEvery is how often Envoy is asked what is still under way.
const askEvery = 200 * time.Millisecond

// drain is how the calls of an Envoy end.
type drain struct {
	Admin string        `help:"URL of Envoy's admin interface." default:"http://127.0.0.1:9901"`
	Least time.Duration `help:"How long to wait in any case: until nothing new is sent here, and the last outcomes are reported." default:"15s"`
	Most  time.Duration `help:"How long to wait for calls under way. What takes longer is broken off." default:"2m"`
}

// Validate refuses settings that can't work.
func (d drain) Validate() error {
	if d.Least < 0 || d.Most < d.Least {
		return fmt.Errorf("--most is %s and --least %s: it can't be less", d.Most, d.Least)
	}
	return nil
}

// run returns once nothing is under way. The error says how much was when the time was over.
func (d drain) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.Most)
	defer cancel()
	// From now on Envoy isn't ready, and ends each connection with the next answer (Connection: close, GOAWAY).
	// It goes on taking new ones, since those who send here learn of that some seconds later.
	err := d.ask(ctx, http.MethodPost, "/healthcheck/fail", func(string) {})
	if err != nil {
		return err
	}
	least := time.After(d.Least)
	for waiting := true; ; {
		active := 0
		err = d.ask(ctx, http.MethodGet, "/stats?filter=^http%5C.(public|console)%5C.downstream_rq_active$", func(line string) {
			_, value, _ := strings.Cut(line, ": ")
			n, _ := strconv.Atoi(value) // what isn't a number isn't that metric
			active += n
		})
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("calls were still under way after %s and are broken off; their outcome will read unknown", d.Most)
		case err != nil:
			return err
		case active == 0 && !waiting:
			return nil
		}
		select {
		case <-least:
			waiting = false
		case <-ctx.Done():
		case <-time.After(askEvery):
		}
	}
}

// direct goes through no proxy of the environment, which knows nothing of Envoy's admin interface.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// ask sends a request to the admin interface and hands over the answer's lines.
func (d drain) ask(ctx context.Context, method, path string, line func(string)) error {
	request, err := http.NewRequestWithContext(ctx, method, d.Admin+path, nil)
	if err != nil {
		return err
	}
	response, err := direct.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("Envoy answered %s to %s", response.Status, path)
	}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		line(lines.Text())
	}
	return lines.Err()
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// journal is what has reached Atlassian, as its stand-in wrote it down: how often each mark came. The
// stand-in keeps the last 10,000 calls only, so it is read all the time.
type journal struct {
	halt  context.CancelFunc
	ended chan struct{}
	last  int
	seen  map[string]int
	err   error
}

// watch reads the stand-in's journal from now on.
func (s *site) watch(ctx context.Context, mark string) *journal {
	ctx, halt := context.WithCancel(ctx)
	j := &journal{halt: halt, ended: make(chan struct{}), seen: map[string]int{}}
	go func() {
		defer close(j.ended)
		for j.err == nil && wait(ctx, time.Second) == nil {
			j.err = j.read(context.WithoutCancel(ctx), s.SwitchesURL, mark)
		}
	}()
	return j
}

// stop reads the last of it, and returns how often each mark came.
func (j *journal) stop(ctx context.Context, s *site, mark string) (map[string]int, error) {
	j.halt()
	<-j.ended
	if j.err == nil {
		j.err = j.read(ctx, s.SwitchesURL, mark)
	}
	return j.seen, j.err
}

func (j *journal) read(ctx context.Context, switches, mark string) error {
	var got struct {
		Calls []struct {
			Number int
			Body   string
		}
		Last int
	}
	err := ask(ctx, http.MethodGet, fmt.Sprintf("%s/calls?since=%d", switches, j.last), "", &got)
	if err != nil {
		return fmt.Errorf("reading what reached the stand-in: %w", err)
	}
	if len(got.Calls) > 0 && got.Calls[0].Number > j.last+1 && j.last > 0 {
		return errors.New("the stand-in has forgotten calls before they were read: give a lower --rate")
	}
	for _, c := range got.Calls {
		if m := markIn(c.Body, mark); m != "" {
			j.seen[m]++
		}
	}
	j.last = got.Last
	return nil
}

// markIn is the mark in a text that begins with prefix, or empty. Marks end with a dot.
func markIn(text, prefix string) string {
	_, rest, found := strings.Cut(text, prefix)
	number, _, ended := strings.Cut(rest, ".")
	if !found || !ended {
		return ""
	}
	return prefix + number + "."
}

// ask sends JSON, and reads the JSON that answers it.
func ask(ctx context.Context, method, url, body string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

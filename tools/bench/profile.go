package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// profiled are the services whose profiles are taken, and of what: pprof's names.
var (
	profiled     = []string{"authz", "accesslog"}
	profileKinds = map[string]string{"cpu": "profile", "allocations": "allocs", "locks": "mutex"}
)

// profile does something that lasts so long, and takes the services' profiles of that time meanwhile, where they
// are asked for.
func (b *bench) profile(ctx context.Context, a arm, s shape, load string, do func() error) error {
	if !b.Run.Profiles || !a.whole() {
		return do()
	}
	folder := filepath.Join(b.Dir, "profiles")
	err := os.MkdirAll(folder, 0o755)
	if err != nil {
		return err
	}
	answers := "json"
	if s.Stream {
		answers = "sse"
	}
	urls := b.stack.Ports.MetricsURLs()
	var taking errgroup.Group
	for _, service := range profiled {
		for kind, page := range profileKinds {
			url := fmt.Sprintf("%s/debug/pprof/%s?seconds=%d", strings.TrimSuffix(urls[service], "/metrics"), page, int(b.Run.Each/time.Second))
			file := filepath.Join(folder, fmt.Sprintf("%s-%d-%s-%s-%s-%s.pprof", a.name, s.Size, answers, load, service, kind))
			taking.Go(func() error { return download(ctx, url, file) })
		}
	}
	return errors.Join(do(), taking.Wait())
}

// download writes what a page has to a file.
func download(ctx context.Context, url, file string) error {
	response, err := get(ctx, url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, response.Body)
	return errors.Join(err, out.Close())
}

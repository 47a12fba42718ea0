package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"sallyport/tools/signin"
)

// authorize runs the scenarios for authorization servers against Sallyport, and signs somebody in
// when the suite asks for it.
func (t *trial) authorize(ctx context.Context) ([]scenario, error) {
	resource, err := url.Parse(t.sallyport.MCPURL)
	if err != nil {
		return nil, err
	}
	issuer := resource.Scheme + "://" + resource.Host
	id, err := register(ctx, issuer, "http://"+t.address(callbackPort)+"/callback")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	watch := func(line string) {
		if !strings.HasPrefix(line, issuer+"/") {
			return
		}
		go func() {
			_, err := signin.NewBrowser(someone).Open(ctx, line, nil)
			if err != nil {
				// The suite would wait for minutes.
				stop(fmt.Errorf("signing in for the suite: %w", err))
			}
		}()
	}
	results, _, err := t.suite.run(ctx, filepath.Join(t.dir, "authorization-server"), watch, "authorization", "--url", issuer,
		"--client-id", id, "--resource", resource.String(), "--port", fmt.Sprint(int(t.base)+callbackPort))
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return results, err
}

package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"sallyport/services/internal/redistest"
)

// searchForSecrets looks, after all tests, through Redis, the files that Redis wrote, all traces, and every program's
// log, all but Elasticsearch's at debug level, for any token, code, verifier or cookie that the
// tests or the stand-in handed over, and for the stack's own secrets.
func searchForSecrets(ctx context.Context) error {
	err := errors.Join(addIssued(ctx), addOwn())
	if err != nil {
		return err
	}
	redisText, keys, err := redistest.Dump(ctx, sallyport.RedisAddr)
	if err != nil {
		return err
	}
	places := map[string][]byte{"Redis": redisText, "a trace": traces.text()}
	for _, pattern := range []string{filepath.Join(sallyport.LogDir, "*"), filepath.Join(runDir, "data", "redis", "*"), filepath.Join(runDir, "data", "redis", "*", "*")} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil || info.IsDir() {
				continue
			}
			places[file], err = os.ReadFile(file)
			if err != nil {
				return err
			}
		}
	}
	size := 0
	var found []error
	for place, text := range places {
		size += len(text)
		for _, secret := range witness.Find(text) {
			found = append(found, fmt.Errorf("%s has in clear: %s", place, secret))
		}
	}
	fmt.Fprintf(os.Stderr, "searched %d keys of Redis and %d files, %d KiB together, for secrets: %v\n", keys, len(places)-2, size>>10, witness.Seen())
	return errors.Join(found...)
}

// addIssued adds what the stand-in gave.
func addIssued(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, sallyport.AtlassianSwitchesURL+"/issued", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var issued []string
	err = json.NewDecoder(response.Body).Decode(&issued)
	witness.Add("Atlassian's code or token", issued...)
	return err
}

// addOwn adds the stack's own secrets, each line and word of their files.
func addOwn() error {
	files, err := filepath.Glob(filepath.Join(runDir, "secrets", "*"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("the stack has no secrets: %w", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		witness.Add("content of "+filepath.Base(file), strings.Fields(string(text))...)
	}
	return nil
}

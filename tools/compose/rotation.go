package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	// resealed is what identity logs when the former seal key isn't needed any more, and resealedWithin how long that may take.
	resealed       = "all of people's Atlassian tokens are sealed under the first seal key"
	resealedWithin = time.Minute
	// foundWithin is how long Envoy may take to find a container that was started anew.
	foundWithin = 30 * time.Second
)

// rotate changes every key and password by the steps of docs/operations.md, while people are signed in.
func (t *trial) rotate(ctx context.Context) error {
	err := t.rotateSealKey(ctx)
	if err == nil {
		err = t.renewSecrets(ctx)
	}
	if err != nil {
		return err
	}
	err = t.recorded(ctx)
	if err != nil {
		return err
	}
	t.say("  nobody had to sign in again")
	return t.ready(ctx)
}

// rotateSealKey takes a new key in, puts it first, and takes the former one out, with a whole call after each step.
func (t *trial) rotateSealKey(ctx context.Context) error {
	former, err := t.readSecret("seal.key")
	if err != nil {
		return err
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // it never fails
	next := base64.StdEncoding.EncodeToString(random)
	for _, keys := range []string{former + "\n" + next, next + "\n" + former, next} {
		err = os.WriteFile(t.secret("seal.key"), []byte(keys+"\n"), 0o444)
		if err == nil {
			err = t.recreate(ctx, "authz", "identity")
		}
		if err == nil && strings.HasPrefix(keys, next+"\n") {
			err = t.waitForReseal(ctx)
		}
		if err == nil {
			err = t.callAgain(ctx)
		}
		if err != nil {
			return fmt.Errorf("with %d seal keys: %w", strings.Count(keys, "\n")+1, err)
		}
	}
	t.say("  the seal key is another one")
	return nil
}

// callAgain has somebody's assistant call whose tokens are good at Atlassian, so that it shows that a key opens them. Envoy
// finds containers that were started anew after some seconds.
func (t *trial) callAgain(ctx context.Context) error {
	for deadline := time.Now().Add(foundWithin); ; time.Sleep(time.Second) {
		err := t.call(ctx, t.people[0])
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// waitForReseal returns when the former seal key can be taken out.
func (t *trial) waitForReseal(ctx context.Context) error {
	for deadline := time.Now().Add(resealedWithin); ; time.Sleep(200 * time.Millisecond) {
		out, err := t.compose(ctx, "logs", "--no-color", "identity").Output()
		if err == nil && strings.Contains(string(out), resealed) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("identity doesn't say that %s: %w", resealed, err)
		}
	}
}

// renewSecrets has secrets.sh make all others that it makes anew, and looks that the former ones are good for nothing.
func (t *trial) renewSecrets(ctx context.Context) error {
	files, err := os.ReadDir(t.secret(""))
	if err != nil {
		return err
	}
	former := map[string]string{}
	for _, file := range files {
		name := file.Name()
		if !strings.HasSuffix(name, ".password") && !slices.Contains([]string{"admin.token", "kibana.key"}, name) {
			continue
		}
		former[name], err = t.readSecret(name)
		if err == nil {
			err = os.Remove(t.secret(name))
		}
		if err != nil {
			return err
		}
	}
	err = t.makeSecrets(ctx)
	if err != nil {
		return err
	}
	// The stand-in for Atlassian has no secret, and forgets its tokens when it is started anew.
	err = t.recreate(ctx, "elasticsearch", "accesslog", "admin", "kibana")
	if err != nil {
		return err
	}
	var problems []error
	for name, value := range former {
		user, isUser := strings.CutSuffix(name, ".password")
		if !isUser {
			continue
		}
		whoAmI := privilege{user: user, method: http.MethodGet, path: "_security/_authenticate"}
		was, _, err := t.elasticsearchBy(ctx, whoAmI, value)
		now, _, errNow := t.elasticsearch(ctx, whoAmI)
		if was != "401" || now != "200" {
			err = fmt.Errorf("%s is answered with %s by the former password and %s by the new one", user, was, now)
		}
		problems = append(problems, err, errNow)
	}
	problems = append(problems, t.admits(ctx, former["admin.token"], http.StatusUnauthorized))
	token, err := t.readSecret("admin.token")
	problems = append(problems, err, t.admits(ctx, token, http.StatusOK))
	t.say("  %d other secrets are others, and the former ones are refused", len(former))
	return errors.Join(problems...)
}

// admits looks how the admin API answers a token.
func (t *trial) admits(ctx context.Context, token string, want int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost:8801/sallyport.admin.v1.PolicyService/GetPolicy", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != want {
		return fmt.Errorf("the admin API answers a token with %s, want %d", response.Status, want)
	}
	return nil
}

// recreate starts services anew with the secrets that there are now, and returns when they are ready.
func (t *trial) recreate(ctx context.Context, services ...string) error {
	return t.do(ctx, append([]string{"up", "--detach", "--wait", "--force-recreate", "--no-deps", "--pull", "never", "--no-build"}, services...)...)
}

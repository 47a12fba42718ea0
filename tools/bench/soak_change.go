package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// soakTool is what the saved policies deny and allow in turn, and soakGroupTool what they deny to soakGroup.
	soakTool, soakGroupTool, soakGroup = "createJiraIssue", "addOrEditJiraIssueComment", "contractors"
	// handOver is how long calls with a former token may be under way.
	handOver = time.Second
)

// soakPolicy is one with ten rules, that denies soakTool or not.
func soakPolicy(denied bool) string {
	effect := "allow"
	if denied {
		effect = "deny"
	}
	own := fmt.Sprintf("rules:\n  - {who: 'group:%s', operation: %s, effect: deny, note: Contractors don't comment}\n  - {operation: %s, effect: %s}\n",
		soakGroup, soakGroupTool, soakTool, effect)
	return strings.Replace(policyOf(8), "rules:\n", own, 1)
}

// change changes one thing after another until ctx ends, and sees to it that each binds the next call.
func (s *soaking) change(ctx context.Context) {
	acts := []struct {
		name string
		do   func(context.Context, int) error
	}{{"policy", s.changePolicy}, {"connection", s.changeConnection}, {"groups", s.changeGroups}}
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.Soak.Change):
		}
		act := acts[n%len(acts)]
		err := act.do(ctx, n/len(acts))
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.problem("%s, change %d: %v", act.name, n, err)
			continue
		}
		s.mu.Lock()
		s.Changes[act.name]++
		s.mu.Unlock()
	}
}

// changePolicy saves the policy that denies soakTool, or the one that doesn't.
func (s *soaking) changePolicy(ctx context.Context, n int) error {
	denied := n%2 == 0
	err := s.site.Apply(ctx, soakPolicy(denied))
	if err != nil {
		return err
	}
	return s.expect(ctx, s.seats[n%len(s.seats)].token(), soakTool, denied)
}

// changeGroups puts a person in the group that may not use soakGroupTool, or takes them out.
func (s *soaking) changeGroups(ctx context.Context, n int) error {
	one := s.seats[0]
	groups, denied := []string{"developers"}, n%2 == 0
	if denied {
		groups = append(groups, soakGroup)
	}
	text, err := json.Marshal(groups)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, s.site.SwitchesURL+"/people/"+url.PathEscape(one.email)+"/groups", bytes.NewReader(text))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the stand-in for Atlassian answered %s", response.Status)
	}
	_, err = s.site.Command(ctx, "groups", "refresh", one.email)
	if err != nil {
		return err
	}
	return s.expect(ctx, one.token(), soakGroupTool, denied)
}

// changeConnection signs a seat in anew, and ends the connection that it had, whose token is refused from then on.
func (s *soaking) changeConnection(ctx context.Context, n int) error {
	one := s.seats[n%len(s.seats)]
	former, token := one.assistant, one.token()
	err := one.sit(ctx, s.site.MCPURL, fmt.Sprint("Soak reconnect ", n))
	if err != nil {
		return err
	}
	time.Sleep(handOver)
	id, err := s.connection(ctx, one.email, former)
	if err != nil {
		return err
	}
	_, err = s.site.Command(ctx, "connections", "end", id)
	if err != nil {
		return err
	}
	status, _, text, err := callOf(s.site.MCPURL, s.host, token, soakSize, false).send(ctx)
	if err != nil {
		return err
	}
	if status != http.StatusUnauthorized {
		return fmt.Errorf("a call with the token of an ended connection was answered %d with %.300s", status, text)
	}
	return nil
}

// connection is the id of a person's connection with an assistant.
func (s *soaking) connection(ctx context.Context, email, assistant string) (string, error) {
	out, err := s.site.Command(ctx, "connections", "list", "--user", email, "--limit", "1000", "--json")
	if err != nil {
		return "", err
	}
	for line := range bytes.Lines(out) {
		var found struct {
			ID     string
			Client struct{ Name string }
		}
		err = json.Unmarshal(line, &found)
		if err != nil {
			return "", err
		}
		if found.Client.Name == assistant {
			return found.ID, nil
		}
	}
	return "", fmt.Errorf("%s has no connection with %s", email, assistant)
}

// expect calls a tool, and returns an error unless that is blocked, or allowed.
func (s *soaking) expect(ctx context.Context, token, tool string, denied bool) error {
	err := callOf(s.site.MCPURL, s.host, token, soakSize, false).of(tool).once(ctx)
	switch {
	case denied && err == nil:
		return fmt.Errorf("%s was allowed although it is denied now", tool)
	case denied && errors.Is(err, errBlocked):
		return nil
	}
	return err
}

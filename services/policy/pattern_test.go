package policy_test

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"sallyport/services/operation"
	"sallyport/services/policy"
)

// matches reports whether a rule decides about a call, by asking a policy whose default is the
// opposite of the rule.
func matches(t *testing.T, r policy.Rule, c policy.Client, s policy.Subject, call policy.Call) bool {
	t.Helper()
	opposite := map[policy.Effect]policy.Effect{policy.Allow: policy.Deny, policy.Deny: policy.Allow}
	engine, err := policy.Compile(&policy.Policy{Default: opposite[r.Effect], Rules: []policy.Rule{r}})
	if err != nil {
		t.Fatal(err)
	}
	d := engine.Decide(c, s, call)
	if d.Allowed != (d.Rule == 1) == (r.Effect == policy.Allow) {
		t.Errorf("rule %d decided, and allowed is %t", d.Rule, d.Allowed)
	}
	return d.Rule == 1
}

func callOf(text string) policy.Call {
	outer, name, inside := strings.Cut(text, ">")
	if !inside {
		outer, name = "", text
	}
	return policy.Call{Operation: operation.Parse(name, ""), Outer: outer}
}

func TestOperationPatterns(t *testing.T) {
	type expected struct{ Match, Not []string }
	var cases []struct {
		Pattern     string
		Deny, Allow expected
	}
	data, err := os.ReadFile("testdata/patterns.yaml")
	if err != nil {
		t.Fatal(err)
	}
	err = yaml.Unmarshal(data, &cases)
	if err != nil || len(cases) == 0 {
		t.Fatalf("%d patterns, error %v", len(cases), err)
	}
	for _, c := range cases {
		if len(c.Allow.Match)+len(c.Allow.Not) == 0 {
			c.Allow = c.Deny
		}
		for effect, want := range map[policy.Effect]expected{policy.Deny: c.Deny, policy.Allow: c.Allow} {
			rule := policy.Rule{Operation: c.Pattern, Effect: effect}
			for _, name := range want.Match {
				if !matches(t, rule, policy.Client{}, policy.Subject{}, callOf(name)) {
					t.Errorf("%s %q doesn't match %s", effect, c.Pattern, name)
				}
			}
			for _, name := range want.Not {
				if matches(t, rule, policy.Client{}, policy.Subject{}, callOf(name)) {
					t.Errorf("%s %q matches %s", effect, c.Pattern, name)
				}
			}
		}
	}
}

func TestClientPatterns(t *testing.T) {
	clients := map[string]policy.Client{
		"claude":    {Key: "claude", Name: "Claude", Class: policy.Verified},
		"code":      {Key: "claude-code", Name: "Claude Code", Class: policy.Claimed},
		"desktop":   {Key: "d", Name: "Claude Desktop (beta)", Class: policy.Unknown},
		"claudette": {Key: "claudette", Name: "Claudette", Class: policy.Claimed},
		"chatgpt":   {Key: "chatgpt", Name: "ChatGPT", Class: policy.Verified},
		"my":        {Key: "my-claude", Name: "My Claude", Class: policy.Unknown},
		"nameless":  {},
	}
	for _, c := range []struct {
		pattern  string
		verified bool
		want     string
	}{
		{"*", false, "claude code desktop claudette chatgpt my nameless"},
		{"claude", false, "claude code desktop"},
		{" CLAUDE ", false, "claude code desktop"},
		{"claude", true, "claude"},
		{"*", true, "claude chatgpt"},
		{"claude-code", false, "code"},
		{"Claude Code", false, "code"},
		{"claude desktop", false, "desktop"},
		{"claude des", false, ""},
		{"code", false, ""},
		{"chatgpt", false, "chatgpt"},
		{"chat", false, ""},
		{"claude*", false, "claude code desktop claudette"},
		{"*claude", false, "claude my"},
		{"*(BETA)", false, "desktop"},
		{"c*e", false, "claude code claudette"},
		{"-", false, ""},
		{"**", false, "claude code desktop claudette chatgpt my nameless"},
	} {
		for name, client := range clients {
			want := strings.Contains(" "+c.want+" ", " "+name+" ")
			rule := policy.Rule{Client: c.pattern, Verified: c.verified, Effect: policy.Deny}
			if got := matches(t, rule, client, policy.Subject{}, callOf("search")); got != want {
				t.Errorf("%q (verified %t) and %s: got %t", c.pattern, c.verified, name, got)
			}
		}
	}
}

func TestWho(t *testing.T) {
	ana := policy.Subject{
		AccountID: "712020:Ana", Email: "Ana@acme.test", GroupsKnown: true,
		Groups: []policy.Group{{ID: "g-1", Name: "Site Admins"}, {ID: "G-2", Name: "ΟΔΟΣ"}},
	}
	for _, c := range []struct {
		who  string
		want bool
	}{
		{"any", true},
		{"user:ana@ACME.test", true},
		{"user: ana@acme.test ", true},
		{"user:712020:Ana", true},
		{"user:712020:ana", false},
		{"user:bo@acme.test", false},
		{"group:site admins", true},
		{"group: SITE ADMINS", true},
		{"group:οδος", true},
		{"group:g-1", true},
		{"group:G-1", false},
		{"group:G-2", true},
		{"group:admins", false},
		{"group:site*", false},
		{"group:ana@acme.test", false},
	} {
		for _, effect := range []policy.Effect{policy.Allow, policy.Deny} {
			if got := matches(t, policy.Rule{Who: c.who, Effect: effect}, policy.Client{}, ana, callOf("search")); got != c.want {
				t.Errorf("%s in a rule to %s: got %t", c.who, effect, got)
			}
		}
	}
	// A person of whom nothing is known is nobody in particular.
	for _, who := range []string{"user:ana@acme.test", "group:g-1"} {
		if matches(t, policy.Rule{Who: who, Effect: policy.Deny}, policy.Client{}, policy.Subject{GroupsKnown: true}, callOf("search")) {
			t.Errorf("%s is about a person without a name", who)
		}
	}
}

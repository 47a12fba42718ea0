package authz_test

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"sallyport/services/authz"
)

func TestOrigins(t *testing.T) {
	text, err := os.ReadFile("testdata/origins.yaml")
	must(t, err)
	var cases []struct {
		Origin  string
		Allowed bool
	}
	must(t, yaml.Unmarshal(text, &cases))
	g := signedIn(t, `{"default":"allow"}`, func(cfg *authz.Config) {
		cfg.PublicURL = "https://Sallyport.test:443"
		cfg.AllowedOrigins = []string{"https://inspector.example.com", "http://tools.example.com:8080"}
	})
	for _, c := range cases {
		r := g.ask("POST", list, "authorization", "Bearer "+accessToken, "content-type", "application/json", "origin", c.Origin)
		records := g.records()
		if c.Allowed {
			wantAllowed(t, r, atlassian)
			continue
		}
		wantAnswer(t, r, 403, "web pages of this origin", "it@acme.test")
		if len(records) != 1 || records[0].Sallyport.Refusal != "origin" {
			t.Errorf("%s is recorded as %+v", c.Origin, records)
		}
		// Nor is such a page told where to sign in.
		for _, token := range []string{"unknown", ""} {
			r = g.ask("GET", "", "authorization", strings.TrimSuffix("Bearer "+token, " "), "origin", c.Origin)
			wantAnswer(t, r, 403, "web pages of this origin")
			if challenge(r) != "" {
				t.Errorf("%s is challenged", c.Origin)
			}
		}
	}
	both := g.ask("POST", list, "authorization", "Bearer "+accessToken, "content-type", "application/json", "origin", "http://localhost", "origin", "https://evil.example")
	wantAnswer(t, both, 403)
}

func TestConfigRefusesWhatIsNoOrigin(t *testing.T) {
	for _, origin := range []string{"inspector.example.com", "https://", "ftp://a", "https://a/b", "https://a?b", "https://u@a", "*", "null"} {
		err := authz.Config{StreamLimit: 1, PublicURL: "https://sallyport.test", AllowedOrigins: []string{origin}, RedactKeys: []string{"password"}}.Validate()
		if err == nil || !strings.Contains(err.Error(), "--allowed-origins") {
			t.Errorf("%s: %v", origin, err)
		}
	}
}

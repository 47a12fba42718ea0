package identity_test

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"sallyport/services/identity"
)

func TestJiraFlags(t *testing.T) {
	const site = "https://acme.atlassian.net"
	for _, c := range []struct {
		url, cloudID, user, file string
		// says is empty for flags that fit.
		says string
	}{
		{},
		{url: site, user: "it@acme.test", file: "token"},
		{cloudID: cloudID, file: "token"},
		{cloudID: cloudID, user: "it@acme.test", file: "token"},
		{url: site, cloudID: cloudID, user: "it@acme.test", file: "token", says: "leave one of them out"},
		{url: site, file: "token", says: "--jira-url needs --jira-user"},
		{url: site, user: "it@acme.test", says: "--jira-url needs --jira-user and --jira-token-file"},
		{url: "acme.atlassian.net", user: "it@acme.test", file: "token", says: "--jira-url must be like"},
		{cloudID: cloudID, says: "--jira-cloud-id needs --jira-token-file"},
		{cloudID: "../" + cloudID, file: "token", says: "--jira-cloud-id must be like"},
		{file: "token", says: "need --jira-url, or --jira-cloud-id"},
	} {
		cfg := identity.Config{
			PublicURL: "http://localhost:8800", StreamLimit: 1, RegistrationsPerAddress: 1, RegistrationsInAll: 1,
			JiraURL: c.url, JiraCloudID: c.cloudID, JiraUser: c.user, JiraTokenFile: c.file,
		}
		err := cfg.Validate()
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%+v: %v, want %q", c, err, c.says)
		}
	}
}

func TestConsoleFlag(t *testing.T) {
	for console, says := range map[string]string{
		"": "", "http://localhost:8801": "", "https://console.acme.test/": "",
		"console.acme.test": "must be like", "https://console.acme.test/admin": "must be like", "https://a@console.acme.test": "must be like",
		"http://localhost:8800/": "an address of its own",
	} {
		cfg := identity.Config{PublicURL: "http://localhost:8800", StreamLimit: 1, RegistrationsPerAddress: 1, RegistrationsInAll: 1, ConsoleURL: console}
		err := cfg.Validate()
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("--console-url %q: %v, want %q", console, err, says)
		}
	}
}

// TestSitesFlag never takes a mistake for a list without a site, which would let everybody in.
func TestSitesFlag(t *testing.T) {
	for text, fits := range map[string]bool{
		"acme.atlassian.net": true, "acme.atlassian.net,Acme-Sandbox.atlassian.net": true, "acme.atlassian.net, acme.example.com": true,
		"": true, "acme.atlassian.net,": true, " ": false, ",": false, "acme": false, "https://acme.atlassian.net": false, "acme.atlassian.net/": false,
		"*.atlassian.net": false, "acme.atlassian.net:443": false, "acme.atlassian.net;beta.atlassian.net": false,
	} {
		t.Setenv("SALLYPORT_SITES", text)
		var cfg identity.Config
		parser, err := kong.New(&cfg)
		if err == nil {
			_, err = parser.Parse([]string{"--seal-key-file", "seal.key"})
		}
		if fits != (err == nil) || err != nil && !strings.Contains(err.Error(), "--sites takes host names such as acme.atlassian.net") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

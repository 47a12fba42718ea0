package atlassian

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSitesOf reads what Atlassian may list. Who may sign in goes by the host, so none is made up.
func TestSitesOf(t *testing.T) {
	for url, host := range map[string]string{
		"https://acme.atlassian.net": "acme.atlassian.net", "https://ACME.atlassian.net/": "acme.atlassian.net", "https://acme.atlassian.net:443/wiki": "acme.atlassian.net",
		"https://acme.atlassian.net@other.atlassian.net": "other.atlassian.net", "https://other.atlassian.net/acme.atlassian.net": "other.atlassian.net",
		"": "", "acme.atlassian.net": "", "https://": "", "https://acme": "", "https://acme.atlassian.net\x00": "", "https://acme.atlassian.net%20": "", "https://äcme.atlassian.net": "",
	} {
		want := []Site{{ID: "1", Host: host}}
		if diff := cmp.Diff(want, sitesOf([]resource{{URL: "https://acme.atlassian.net"}, {ID: "1", URL: url}})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", url, diff)
		}
	}
}

package native

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
)

// standInToken is the API token of the service account that the stand-in knows. It protects
// nothing but invented people.
const standInUser, standInToken = "sallyport-service@acme.test", "ATATT-stand-in-classic-token"

// Atlassian is where the other side is: a stand-in on this machine, or the real one. Only
// addresses and credentials differ between the two.
type Atlassian struct {
	real            bool
	baseURL, mcpURL string
	apiURL          string
	jiraURL         string
	jiraUser        string
	jiraTokenFile   string
}

// StandIn is the stand-in of a stack.
func StandIn(p Ports) Atlassian {
	base := p.url(atlassian)
	return Atlassian{baseURL: base, mcpURL: base + "/v2/mcp?tools=all", apiURL: base, jiraURL: base, jiraUser: standInUser}
}

// Rovo is the real server, with the credential for groups from the environment, if any.
func Rovo() Atlassian {
	return Atlassian{
		real: true, baseURL: "https://mcp.atlassian.com", mcpURL: "https://mcp.atlassian.com/v2/mcp?tools=all", apiURL: "https://api.atlassian.com",
		jiraURL: os.Getenv("SALLYPORT_JIRA_URL"), jiraUser: os.Getenv("SALLYPORT_JIRA_USER"), jiraTokenFile: os.Getenv("SALLYPORT_JIRA_TOKEN_FILE"),
	}
}

// ParseAtlassian reads the setting ATLASSIAN: empty for the stand-in, rovo for the real one.
func ParseAtlassian(text string, p Ports) (Atlassian, error) {
	switch text {
	case "", "stand-in":
		return StandIn(p), nil
	case "rovo":
		return Rovo(), nil
	}
	return Atlassian{}, fmt.Errorf("ATLASSIAN is %q: leave it out for the stand-in, or set it to rovo for the real server", text)
}

// setting is ATLASSIAN as ParseAtlassian reads it.
func (a Atlassian) setting() string {
	if a.real {
		return "rovo"
	}
	return "stand-in"
}

// jiraFlags are identity's flags for the service credential that reads groups.
func (a Atlassian) jiraFlags(s Stack) string {
	if a.jiraURL == "" {
		return ""
	}
	file := a.jiraTokenFile
	if !a.real {
		file = s.secret(jiraToken)
	}
	return strings.Join([]string{"--jira-url", quote(a.jiraURL), "--jira-user", quote(a.jiraUser), "--jira-token-file", quote(file)}, " ")
}

// envoyValues are what envoy/envoy.yaml has to know of it.
func (a Atlassian) envoyValues() map[string]string {
	u, _ := url.Parse(a.mcpURL)
	host, port, err := net.SplitHostPort(u.Host)
	if err != nil {
		host, port = u.Host, "443"
	}
	return map[string]string{
		"ATLASSIAN_HOST": host, "ATLASSIAN_PORT": port, "ATLASSIAN_AUTHORITY": u.Host, "ATLASSIAN_PATH": u.Path,
		"ATLASSIAN_TLS": fmt.Sprint(u.Scheme == "https"),
	}
}

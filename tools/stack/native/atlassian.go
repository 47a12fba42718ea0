package native

import (
	"cmp"
	"fmt"
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
	// upstream is the MCP server that calls go to instead of Atlassian's, or empty.
	upstream      string
	apiURL        string
	jiraURL       string
	jiraUser      string
	jiraTokenFile string
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

// WithUpstream reads the setting MCP_UPSTREAM, the URL of an MCP server that calls go to while people
// sign in at Atlassian as before. Empty, calls go to Atlassian too. Whoever runs such a server is
// given the person's Atlassian token with each call.
func (a Atlassian) WithUpstream(text string) (Atlassian, error) {
	if text == "" {
		return a, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !strings.HasPrefix(u.Path, "/") ||
		u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return Atlassian{}, fmt.Errorf("MCP_UPSTREAM is %q: set it to the URL of an MCP server with its path and without a query, such as http://127.0.0.1:9000/mcp", text)
	}
	a.upstream = text
	return a, nil
}

// callsURL is the MCP server that calls go to.
func (a Atlassian) callsURL() string { return cmp.Or(a.upstream, a.mcpURL) }

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

// originsFlag tells authz of the origins of web pages that may use the MCP endpoint.
func (s Stack) originsFlag() string {
	if len(s.Origins) == 0 {
		return ""
	}
	return "--allowed-origins " + quote(strings.Join(s.Origins, ","))
}

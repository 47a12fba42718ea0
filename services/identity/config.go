package identity

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"sallyport/services/internal/process"
)

// Config is the service's configuration.
type Config struct {
	process.Common

	Listen     string `help:"Address for the OAuth pages and endpoints that Envoy forwards." default:"127.0.0.1:8805" env:"SALLYPORT_LISTEN"`
	GRPCListen string `name:"grpc-listen" help:"Address for Sallyport's other services. Keep it private." default:"127.0.0.1:8806" env:"SALLYPORT_GRPC_LISTEN"`
	Redis      string `help:"Address of Redis." default:"127.0.0.1:6379" env:"SALLYPORT_REDIS"`

	SealKeyFile string `help:"File with the key that seals Atlassian's tokens: 32 random bytes in base64." required:"" env:"SALLYPORT_SEAL_KEY_FILE"`
	PublicURL   string `name:"public-url" help:"Where people and assistants reach Sallyport. Assistants connect to it with /mcp at its end." default:"http://localhost:8800" env:"SALLYPORT_PUBLIC_URL"`
	Contact     string `help:"Whom people should ask, shown where a sign-in is refused, such as it@example.com." env:"SALLYPORT_CONTACT"`

	AtlassianMCPURL string   `name:"atlassian-mcp-url" help:"Atlassian's MCP server. Its query, such as ?tools=all, is used for calls only." default:"https://mcp.atlassian.com/v2/mcp?tools=all" env:"SALLYPORT_ATLASSIAN_MCP_URL"`
	AtlassianAPIURL string   `name:"atlassian-api-url" help:"Atlassian's REST API, which is asked who signed in where the MCP server doesn't say." default:"https://api.atlassian.com" env:"SALLYPORT_ATLASSIAN_API_URL"`
	AtlassianScopes []string `help:"Scopes to ask Atlassian for, separated by commas. By default all that its MCP server lists." env:"SALLYPORT_ATLASSIAN_SCOPES"`
	IssuerTolerance bool     `help:"Accept metadata of Atlassian's authorization server that names another issuer. Only while Atlassian's is wrong." env:"SALLYPORT_ISSUER_TOLERANCE"`

	JiraURL       string `name:"jira-url" help:"Jira site that is asked for people's groups, such as https://acme.atlassian.net. Without it groups are unknown." env:"SALLYPORT_JIRA_URL"`
	JiraUser      string `help:"Account that reads groups there. It needs the permission Browse users and groups." env:"SALLYPORT_JIRA_USER"`
	JiraTokenFile string `help:"File with an API token of that account." env:"SALLYPORT_JIRA_TOKEN_FILE"`
}

// Validate reports all that is wrong with the configuration.
func (c *Config) Validate() error {
	var problems []error
	u, err := url.Parse(c.PublicURL)
	// The well-known places of metadata are at the root of the host, so the issuer has no path.
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		problems = append(problems, fmt.Errorf("--public-url must be like https://sallyport.example.com, got %q", c.PublicURL))
	}
	if c.JiraURL != "" && (c.JiraUser == "" || c.JiraTokenFile == "") {
		problems = append(problems, errors.New("--jira-url needs --jira-user and --jira-token-file too"))
	}
	return errors.Join(problems...)
}

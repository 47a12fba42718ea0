package identity

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"sallyport/services/identity/atlassian"
	"sallyport/services/internal/process"
	"sallyport/services/internal/state"
)

// Config is the service's configuration.
type Config struct {
	process.Common

	Listen     string `help:"Address for the OAuth pages and endpoints that Envoy forwards." default:"127.0.0.1:8805" env:"SALLYPORT_LISTEN"`
	GRPCListen string `name:"grpc-listen" help:"Address for Sallyport's other services. Keep it private." default:"127.0.0.1:8806" env:"SALLYPORT_GRPC_LISTEN"`
	Redis      string `help:"Address of Redis, host:port. Of Sentinels or nodes of a cluster several, with commas between them." default:"127.0.0.1:6379" env:"SALLYPORT_REDIS"`
	// RedisSignIn is for a Redis with a password or TLS, with Sentinels, or in a cluster.
	RedisSignIn state.SignIn `embed:"" prefix:"redis-"`
	StreamLimit int64        `help:"Most entries that may wait to be indexed. Beyond it nobody can sign in to the admin API, since it couldn't be written down." default:"2000000" env:"SALLYPORT_STREAM_LIMIT"`

	SealKeyFile string `help:"File with the keys for Atlassian's tokens, one a line: 32 random bytes in base64. The first one seals, all of them open." required:"" env:"SALLYPORT_SEAL_KEY_FILE"`
	PublicURL   string `name:"public-url" help:"Where people and assistants reach Sallyport. Assistants connect to it with /mcp at its end." default:"http://localhost:8800" env:"SALLYPORT_PUBLIC_URL"`
	ConsoleURL  string `name:"console-url" help:"Where admins reach the console and the admin API, such as https://sallyport-admin.example.com. Without it nobody can sign in to them." env:"SALLYPORT_CONSOLE_URL"`
	Contact     string `help:"Whom people should ask, shown where a sign-in is refused, such as it@example.com." env:"SALLYPORT_CONTACT"`

	Sites []string `help:"Host names of the Atlassian sites whose accounts may sign in, such as acme.atlassian.net,acme-sandbox.atlassian.net. Who is signed in with another one is signed out. Without it accounts of any site may." env:"SALLYPORT_SITES"`

	RegistrationsPerAddress int `help:"How many assistants may register from one address within ten minutes." default:"120" env:"SALLYPORT_REGISTRATIONS_PER_ADDRESS"`
	RegistrationsInAll      int `help:"How many assistants may register in all within ten minutes." default:"600" env:"SALLYPORT_REGISTRATIONS_IN_ALL"`

	ClientIDDomains  []string `name:"client-id-domains" help:"Hosts where assistants may describe themselves (client ID metadata documents): any, none, or a list like claude.ai,*.example.com,docs.example.com:8443." default:"any" env:"SALLYPORT_CLIENT_ID_DOMAINS"`
	ClientIDNetworks []string `name:"client-id-networks" help:"Networks that aren't public where such descriptions may be fetched from all the same, like 10.20.0.0/16." env:"SALLYPORT_CLIENT_ID_NETWORKS"`
	ClientIDProxy    string   `name:"client-id-proxy" help:"HTTP proxy to fetch descriptions through, like http://proxy.example.com:3128. It looks names up itself, so --client-id-domains has to name whom to trust." env:"SALLYPORT_CLIENT_ID_PROXY"`
	ClientIDResolver string   `name:"client-id-resolver" help:"DNS server, host:port, that is asked for those hosts instead of the system's." env:"SALLYPORT_CLIENT_ID_RESOLVER"`
	ClientIDCAFile   string   `name:"client-id-ca-file" help:"File with certificate authorities in PEM that are trusted there beside the system's." env:"SALLYPORT_CLIENT_ID_CA_FILE"`

	AtlassianMCPURL string   `name:"atlassian-mcp-url" help:"Atlassian's MCP server. Its query, such as ?tools=all, is used for calls only." default:"https://mcp.atlassian.com/v2/mcp?tools=all" env:"SALLYPORT_ATLASSIAN_MCP_URL"`
	AtlassianAPIURL string   `name:"atlassian-api-url" help:"Atlassian's REST API, which is asked who signed in where the MCP server doesn't say." default:"https://api.atlassian.com" env:"SALLYPORT_ATLASSIAN_API_URL"`
	AtlassianScopes []string `help:"Scopes to ask Atlassian for, separated by commas. By default all that its MCP server lists." env:"SALLYPORT_ATLASSIAN_SCOPES"`
	IssuerTolerance bool     `help:"Accept metadata of Atlassian's authorization server that names another issuer. Only while Atlassian's is wrong." env:"SALLYPORT_ISSUER_TOLERANCE"`

	JiraURL       string `name:"jira-url" help:"Jira site that is asked for people's groups with a classic API token, such as https://acme.atlassian.net. Without it or --jira-cloud-id groups are unknown." env:"SALLYPORT_JIRA_URL"`
	JiraCloudID   string `name:"jira-cloud-id" help:"Cloud id of that site instead, for a scoped API token." env:"SALLYPORT_JIRA_CLOUD_ID"`
	JiraUser      string `help:"E-mail of the account that reads groups there. It needs the permission Browse users and groups. Leave it out for a scoped token that goes alone." env:"SALLYPORT_JIRA_USER"`
	JiraTokenFile string `help:"File with an API token of that account." env:"SALLYPORT_JIRA_TOKEN_FILE"`
}

// Validate reports all that is wrong with the configuration.
func (c *Config) Validate() error {
	var problems []error
	if c.StreamLimit < 1 {
		problems = append(problems, fmt.Errorf("--stream-limit is %d: at least one entry must fit", c.StreamLimit))
	}
	if !isOrigin(c.PublicURL) {
		problems = append(problems, fmt.Errorf("--public-url must be like https://sallyport.example.com, got %q", c.PublicURL))
	}
	if c.RegistrationsPerAddress < 1 || c.RegistrationsInAll < c.RegistrationsPerAddress {
		problems = append(problems, fmt.Errorf("--registrations-per-address must be 1 or more, and --registrations-in-all not less than it"))
	}
	switch {
	case c.ConsoleURL == "":
	case !isOrigin(c.ConsoleURL):
		problems = append(problems, fmt.Errorf("--console-url must be like https://sallyport-admin.example.com, got %q", c.ConsoleURL))
	case strings.EqualFold(strings.TrimRight(c.ConsoleURL, "/"), strings.TrimRight(c.PublicURL, "/")):
		problems = append(problems, fmt.Errorf("--console-url and --public-url are both %q: the console has an address of its own", c.ConsoleURL))
	}
	_, err := c.openDocuments()
	_, sitesErr := readSites(c.Sites)
	return errors.Join(append(append(problems, err, sitesErr, c.RedisSignIn.Validate()), c.validateJira()...)...)
}

// isOrigin says whether an address is that of a host. The well-known places of metadata are at its root, so
// it has no path.
func isOrigin(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") &&
		strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
}

// cloudID is what Atlassian's cloud ids look like.
var cloudID = regexp.MustCompile(`^[0-9A-Za-z-]+$`)

func (c *Config) validateJira() (problems []error) {
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	switch {
	case c.JiraURL != "" && c.JiraCloudID != "":
		refuse("--jira-url is for a classic API token and --jira-cloud-id for a scoped one: leave one of them out")
	case c.JiraURL != "":
		u, err := url.Parse(c.JiraURL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" {
			refuse("--jira-url must be like https://acme.atlassian.net, got %q", c.JiraURL)
		}
		if c.JiraUser == "" || c.JiraTokenFile == "" {
			refuse("--jira-url needs --jira-user and --jira-token-file too")
		}
	case c.JiraCloudID != "":
		if !cloudID.MatchString(c.JiraCloudID) {
			refuse("--jira-cloud-id must be like 11223344-a1b2-3b33-c444-def123456789, got %q; it is at https://acme.atlassian.net/_edge/tenant_info", c.JiraCloudID)
		}
		if c.JiraTokenFile == "" {
			refuse("--jira-cloud-id needs --jira-token-file too")
		}
	case c.JiraUser != "" || c.JiraTokenFile != "":
		refuse("--jira-user and --jira-token-file need --jira-url, or --jira-cloud-id for a scoped token")
	}
	return problems
}

// openDirectory returns the directory of groups, nil where none is configured.
func (c *Config) openDirectory() (*atlassian.Directory, error) {
	at := c.JiraURL
	if c.JiraCloudID != "" {
		at = atlassian.ScopedURL(c.AtlassianAPIURL, c.JiraCloudID)
	}
	if at == "" {
		return nil, nil
	}
	return atlassian.OpenDirectory(atlassian.DirectoryConfig{URL: at, User: c.JiraUser, TokenFile: c.JiraTokenFile})
}

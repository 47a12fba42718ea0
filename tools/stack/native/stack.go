package native

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"sallyport/tools/envoyconf"
	"sallyport/tools/stack/parts"
)

// Stack is one running Sallyport: its files are in RunDir, its ports count from Ports.
type Stack struct {
	// Root is the top of the work tree, where bin and envoy are.
	Root   string
	RunDir string
	Ports  Ports
	Parts  parts.Paths
	// Atlassian is where the other side is.
	Atlassian Atlassian
	// Origins are those of web pages that may use the MCP endpoint, beside those of this machine.
	Origins envoyconf.Origins
	// Traces are told to a collector where one is named.
	Traces envoyconf.Traces
	// Profiles has the services serve pprof's profiles. bench reads them.
	Profiles bool
	// Debug has Envoy and Valkey log at debug level, too.
	Debug bool
	// Fsync is Redis' appendfsync: empty for everysec, or always or no. chaos compares them.
	Fsync string
	// Failover is what takes over when Redis fails. chaos has it fail.
	Failover Failover
	// Replicas is how many there are of Envoy and of each service; 0 is as good as 1. With more, the caller answers for
	// their names and for what assistants connect to (replicas.go), which chaos does.
	Replicas int
	// Before is the top of another work tree, of the version that the replicas are of until Renew; empty for Root. Only
	// for a stack with more than one replica.
	Before string
	// SameSession keeps it in the caller's session, with which the system shares cores then as with one: bench's
	// own processes are part of what it measures.
	SameSession bool
	// Out is where people read what happens.
	Out io.Writer
}

func (s Stack) path(elements ...string) string {
	return filepath.Join(append([]string{s.RunDir}, elements...)...)
}

// prepare writes everything that the parts read: secrets, configurations and folders.
func (s Stack) prepare() error {
	for _, folder := range []string{"logs", "secrets"} {
		err := os.MkdirAll(s.path(folder), 0o755)
		if err != nil {
			return err
		}
	}
	err := s.makeSecrets()
	if err != nil {
		return err
	}
	err = s.prepareRedis()
	if err != nil {
		return err
	}
	err = s.prepareElasticsearch()
	if err != nil {
		return err
	}
	err = s.prepareReplicas()
	if err != nil {
		return err
	}
	description := map[string]any{
		"version": "0.5", "is_strict": true, "disable_env_expansion": true,
		"environment": []string{StackVariable + "=" + s.RunDir, "SALLYPORT_TRACES=" + s.Traces.Collector, fmt.Sprint("SALLYPORT_PROFILES=", s.Profiles)},
		"processes":   s.processes(),
	}
	text, err := yaml.Marshal(description)
	if err != nil {
		return err
	}
	return os.WriteFile(s.path("process-compose.yaml"), text, 0o644)
}

// renderEnvoy fills the addresses into envoy/envoy.yaml, for the replica n of Envoy.
func (s Stack) renderEnvoy(n int) error {
	p := s.Ports
	port := func(offset int) string { return strconv.Itoa(p.port(offset)) }
	values := map[string]string{
		"LISTEN_ADDRESS": s.envoyHost(n), "PUBLIC_PORT": port(public), "CONSOLE_PORT": port(console), "ENVOY_ADMIN_PORT": strconv.Itoa(p.envoyAdminPort(n)),
		"ENVOY_OPS_PORT": port(envoyOps), "TRANSPORT_SOCKET": envoyconf.Plain, "TRACING": s.Traces.Value(), "ALLOWED_ORIGINS": s.Origins.Pattern(p.publicURL()),
		"PUBLIC_URL": p.publicURL(), "PUBLIC_AUTHORITY": "localhost:" + port(public), "CONSOLE_AUTHORITY": "localhost:" + port(console), "CONSOLE_URL": p.consoleURL(),
		"CONSOLE_DIR": filepath.Join(s.Root, "bin", "console"),
		"AUTHZ_HOST":  s.neighbour("authz"), "AUTHZ_PORT": port(authzGRPC), "IDENTITY_HOST": s.neighbour("identity"), "IDENTITY_PORT": port(identityHTTP),
		"ACCESSLOG_HOST": s.neighbour("accesslog"), "ACCESSLOG_PORT": port(accesslogGRPC), "ADMIN_HOST": s.neighbour("admin"), "ADMIN_PORT": port(adminGRPC),
		"PROTO_DESCRIPTOR": filepath.Join(s.Root, "envoy", "admin.binpb"), "CA_FILE": caFile(),
	}
	upstream, err := envoyconf.Upstream(s.Atlassian.callsURL())
	if err != nil {
		return err
	}
	maps.Copy(values, upstream)
	text, err := os.ReadFile(filepath.Join(s.Root, "envoy", "envoy.yaml"))
	if err != nil {
		return err
	}
	rendered, err := envoyconf.Render(text, values)
	if err != nil {
		return err
	}
	return os.WriteFile(s.path(replica("envoy", n)+".yaml"), append(rendered, s.resolver()...), 0o644)
}

// caFile is the certificates that this machine trusts, where distributions keep them.
func caFile() string {
	known := []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}
	for _, path := range known {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return known[0]
}

// state is what scripts read in state.json.
type state struct {
	MCPURL           string `json:"mcp_url"`
	CallbackURL      string `json:"callback_url"`
	ConsoleURL       string `json:"console_url"`
	AdminGRPC        string `json:"admin_grpc"`
	AdminHTTP        string `json:"admin_http"`
	ElasticsearchURL string `json:"elasticsearch_url"`
	RedisAddr        string `json:"redis_addr"`
	EnvoyAdminURL    string `json:"envoy_admin_url"`
	// MetricsURLs are what Prometheus reads, by the name of the part.
	MetricsURLs          map[string]string `json:"metrics_urls"`
	AtlassianURL         string            `json:"atlassian_url"`
	AtlassianSwitchesURL string            `json:"atlassian_switches_url,omitempty"`
	AdminTokenFile       string            `json:"admin_token_file"`
	LogDir               string            `json:"log_dir"`
	PIDs                 map[string]int    `json:"pids"`
	People               []person          `json:"people,omitempty"`
}

type person struct {
	Email  string   `json:"email"`
	Groups []string `json:"groups"`
}

// writeState writes state.json, whole or not at all.
func (s Stack) writeState(ctx context.Context, pids map[string]int) error {
	p := s.Ports
	st := state{
		MCPURL: p.publicURL() + "/mcp", CallbackURL: p.publicURL() + "/mcp/callback",
		ConsoleURL: p.consoleURL(), AdminHTTP: p.consoleURL(),
		AdminGRPC: fmt.Sprintf("localhost:%d", p.port(console)), ElasticsearchURL: p.url(elasticHTTP), RedisAddr: p.address(redis),
		EnvoyAdminURL: p.url(envoyAdmin), MetricsURLs: p.MetricsURLs(), AtlassianURL: s.Atlassian.baseURL, AdminTokenFile: s.secret(adminToken), LogDir: s.path("logs"), PIDs: pids,
	}
	if !s.Atlassian.real {
		st.AtlassianSwitchesURL = p.url(switches)
		var answer struct {
			People []struct {
				Email  string
				Groups []struct{ Name string }
			}
		}
		err := getJSON(ctx, p.url(switches)+"/people", &answer)
		if err != nil {
			return fmt.Errorf("asking the Atlassian stand-in for its people: %w", err)
		}
		for _, known := range answer.People {
			one := person{Email: known.Email}
			for _, group := range known.Groups {
				one.Groups = append(one.Groups, group.Name)
			}
			st.People = append(st.People, one)
		}
	}
	text, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return err
	}
	err = os.WriteFile(s.path("state.json.new"), append(text, '\n'), 0o644)
	if err != nil {
		return err
	}
	return os.Rename(s.path("state.json.new"), s.path("state.json"))
}

func getJSON(ctx context.Context, url string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

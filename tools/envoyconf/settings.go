package envoyconf

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Settings are those of an Envoy whose neighbours go by their names, each in a container.
type Settings struct {
	From string `help:"Folder with envoy.yaml, admin.binpb and console/." default:"/envoy" type:"existingdir"`
	Into string `help:"Folder that Envoy reads. What was there is replaced." default:"/etc/sallyport"`

	PublicURL      string   `name:"public-url" help:"URL that assistants reach Sallyport at, without a path." required:"" env:"SALLYPORT_PUBLIC_URL"`
	ConsoleURL     string   `name:"console-url" help:"URL that admins reach the console at, without a path." required:"" env:"SALLYPORT_CONSOLE_URL"`
	AllowedOrigins []string `help:"Origins of web pages that may send requests, beside Sallyport's own and those of this machine." placeholder:"https://inspector.example.com" env:"SALLYPORT_ALLOWED_ORIGINS"`
	MCPURL         string   `name:"atlassian-mcp-url" help:"Atlassian's MCP server." default:"https://mcp.atlassian.com/v2/mcp?tools=all" env:"SALLYPORT_ATLASSIAN_MCP_URL"`
	Upstream       string   `name:"mcp-upstream" help:"URL of an MCP server that calls go to in place of Atlassian's. It is given people's Atlassian tokens." env:"SALLYPORT_MCP_UPSTREAM"`
	TLSDir         string   `name:"tls-dir" help:"Folder, as Envoy sees it, with the certificate (fullchain.pem) and its key (privkey.pem). Without it Envoy takes what isn't encrypted." env:"SALLYPORT_TLS_DIR"`
	ServicePrefix  string   `help:"What the names of the neighbours begin with, such as sallyport- where authz is sallyport-authz." env:"SALLYPORT_SERVICE_PREFIX"`
	Traces         Traces   `embed:""`
	CAFile         string   `name:"ca-file" help:"File, as Envoy sees it, with the certificate authorities that Atlassian's certificate may be from." default:"/etc/ssl/certs/ca-certificates.crt" env:"SALLYPORT_CA_FILE"`
}

// Ports inside a container.
const (
	publicPort, consolePort, adminPort, opsPort                   = "8800", "8801", "9901", "9900"
	authzPort, identityPort, accesslogPort, adminServicePort      = "9001", "8805", "9000", "9010"
	configurationFile, certificateFile, descriptorFile, pagesFile = "envoy.yaml", "certificate.json", "admin.binpb", "console"
	// drainFile is a program (tools/drain) that Envoy's container runs before Envoy is stopped: its distroless image has no other.
	drainFile = "drain"
)

// Validate refuses settings that can't work.
func (s Settings) Validate() error {
	var problems []error
	for flag, address := range map[string]string{"--public-url": s.PublicURL, "--console-url": s.ConsoleURL} {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			problems = append(problems, fmt.Errorf("%s is %q: it must be http:// or https:// and a host, without a path", flag, address))
		}
		if err == nil && s.TLSDir != "" && u.Scheme != "https" {
			problems = append(problems, fmt.Errorf("%s is %q: with a certificate it begins with https://", flag, address))
		}
	}
	if authority(s.ConsoleURL) == "127.0.0.1:"+consolePort {
		problems = append(problems, fmt.Errorf("--console-url is %q: say http://localhost:%s", s.ConsoleURL, consolePort))
	}
	_, err := ParseOrigins(s.AllowedOrigins)
	return errors.Join(append(problems, err, s.Traces.Validate())...)
}

// Write writes into the folder what Envoy reads.
func (s Settings) Write() error {
	values, err := s.values()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(s.From, configurationFile))
	if err != nil {
		return err
	}
	text, err = Render(text, values)
	if err != nil {
		return err
	}
	files, err := os.ReadDir(s.Into)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, file := range files {
		err = os.RemoveAll(filepath.Join(s.Into, file.Name()))
		if err != nil {
			return err
		}
	}
	err = os.CopyFS(filepath.Join(s.Into, pagesFile), os.DirFS(filepath.Join(s.From, pagesFile)))
	if err != nil {
		return err
	}
	err = s.copyDrain()
	if err != nil {
		return err
	}
	descriptor, err := os.ReadFile(filepath.Join(s.From, descriptorFile))
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		descriptorFile: descriptor, certificateFile: []byte(Certificate(s.TLSDir)), configurationFile: text,
	} {
		err = os.WriteFile(filepath.Join(s.Into, name), content, 0o600)
		if err != nil {
			return err
		}
	}
	return nil
}

// copyDrain copies the program where there is one: a folder that isn't the image's has none.
func (s Settings) copyDrain() error {
	program, err := os.ReadFile(filepath.Join(s.From, drainFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.Into, drainFile), program, 0o700)
}

func (s Settings) values() (map[string]string, error) {
	publicURL, consoleURL := strings.TrimRight(s.PublicURL, "/"), strings.TrimRight(s.ConsoleURL, "/")
	values, err := Upstream(cmp.Or(s.Upstream, s.MCPURL))
	if err != nil {
		return nil, err
	}
	socket := Plain
	if s.TLSDir != "" {
		socket = TLS(filepath.Join(s.Into, certificateFile))
	}
	maps.Copy(values, map[string]string{
		"LISTEN_ADDRESS": "0.0.0.0", "PUBLIC_PORT": publicPort, "CONSOLE_PORT": consolePort, "ENVOY_ADMIN_PORT": adminPort, "ENVOY_OPS_PORT": opsPort,
		"TRANSPORT_SOCKET": socket, "TRACING": s.Traces.Value(), "ALLOWED_ORIGINS": Origins(s.AllowedOrigins).Pattern(publicURL),
		"PUBLIC_URL": publicURL, "PUBLIC_AUTHORITY": authority(publicURL), "CONSOLE_URL": consoleURL, "CONSOLE_AUTHORITY": authority(consoleURL),
		"CONSOLE_DIR": filepath.Join(s.Into, pagesFile), "PROTO_DESCRIPTOR": filepath.Join(s.Into, descriptorFile), "CA_FILE": s.CAFile,
		"AUTHZ_HOST": s.ServicePrefix + "authz", "AUTHZ_PORT": authzPort, "IDENTITY_HOST": s.ServicePrefix + "identity", "IDENTITY_PORT": identityPort,
		"ACCESSLOG_HOST": s.ServicePrefix + "accesslog", "ACCESSLOG_PORT": accesslogPort, "ADMIN_HOST": s.ServicePrefix + "admin", "ADMIN_PORT": adminServicePort,
	})
	return values, nil
}

// authority is what clients name as the host of a URL.
func authority(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

package main

import (
	"os"
	"path/filepath"

	"sallyport/tools/envoyconf"
	"sallyport/tools/stack/native"
)

type flags struct {
	RunDir    string `help:"Folder for data, logs, secrets and state.json." default:".run" type:"path"`
	PortBase  string `help:"First of the ports." env:"PORT_BASE" placeholder:"8800"`
	Atlassian string `help:"Leave out for the stand-in, or rovo for Atlassian's real server." env:"ATLASSIAN" placeholder:"rovo"`
	Upstream  string `name:"mcp-upstream" help:"URL of an MCP server that calls go to in place of Atlassian's; people sign in at Atlassian as before. It is given their Atlassian tokens: only for servers you trust, and for tests." env:"MCP_UPSTREAM" placeholder:"URL"`

	Origins []string `name:"allowed-origins" help:"Origins of web pages that may use the MCP endpoint, beside those of this machine." env:"SALLYPORT_ALLOWED_ORIGINS" placeholder:"https://inspector.example.com"`

	Traces envoyconf.Traces `embed:""`

	LogLevel string `help:"What the parts log: debug, info, warn or error. Envoy's and Valkey's own are warn and notice unless it is debug." enum:"debug,info,warn,error" default:"info" env:"SALLYPORT_LOG_LEVEL"`

	Up    upCommand    `cmd:"" help:"Start in the background and return when everything is ready."`
	Run   runCommand   `cmd:"" help:"Start, and stay in the foreground until Ctrl-C."`
	Down  downCommand  `cmd:"" help:"Stop what up or run started."`
	Parts partsCommand `cmd:"" help:"Fetch Envoy, Valkey and Elasticsearch, and say where they are."`
	Clean cleanCommand `cmd:"" help:"Remove the run folder with all records and secrets."`
	Watch watchCommand `cmd:"" hidden:"" help:"Keep state.json true; the supervisor runs it."`
}

// stack is the one that the flags describe.
func (f *flags) stack() (native.Stack, error) {
	ports, err := native.ParsePorts(f.PortBase)
	if err != nil {
		return native.Stack{}, err
	}
	atlassian, err := native.ParseAtlassian(f.Atlassian, ports)
	if err != nil {
		return native.Stack{}, err
	}
	atlassian, err = atlassian.WithUpstream(f.Upstream)
	if err != nil {
		return native.Stack{}, err
	}
	origins, err := envoyconf.ParseOrigins(f.Origins)
	if err != nil {
		return native.Stack{}, err
	}
	program, err := os.Executable()
	if err != nil {
		return native.Stack{}, err
	}
	root := filepath.Dir(filepath.Dir(program))
	return native.Stack{Root: root, RunDir: f.RunDir, Ports: ports, Atlassian: atlassian, Origins: origins, Traces: f.Traces, Debug: f.LogLevel == "debug", Out: os.Stdout}, nil
}

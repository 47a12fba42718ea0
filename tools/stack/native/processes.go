package native

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"strconv"
	"strings"
)

// process is one part as process-compose runs it. Its field names are process-compose's.
type process struct {
	Command      string                `yaml:"command"`
	WorkingDir   string                `yaml:"working_dir"`
	DependsOn    map[string]dependency `yaml:"depends_on,omitempty"`
	Availability availability          `yaml:"availability"`
	Readiness    *probe                `yaml:"readiness_probe,omitempty"`
	Shutdown     shutdown              `yaml:"shutdown"`
}

type dependency struct {
	Condition string `yaml:"condition"`
}

type availability struct {
	Restart        string `yaml:"restart"`
	BackoffSeconds int    `yaml:"backoff_seconds"`
}

type probe struct {
	HTTPGet          *httpGet `yaml:"http_get,omitempty"`
	Exec             *execute `yaml:"exec,omitempty"`
	PeriodSeconds    int      `yaml:"period_seconds"`
	TimeoutSeconds   int      `yaml:"timeout_seconds"`
	FailureThreshold int      `yaml:"failure_threshold"`
}

type execute struct {
	Command string `yaml:"command"`
}

type httpGet struct {
	Host   string `yaml:"host"`
	Port   int    `yaml:"port"`
	Path   string `yaml:"path"`
	Scheme string `yaml:"scheme"`
}

type shutdown struct {
	Signal         int `yaml:"signal"`
	TimeoutSeconds int `yaml:"timeout_seconds"`
}

// processes describes all parts of a stack.
func (s Stack) processes() map[string]*process {
	p := s.Ports
	all := map[string]*process{"elasticsearch": s.elasticsearch()}
	all["elasticsearch"].Readiness = ready(loopback(p.port(elasticHTTP)), "/_cluster/health?wait_for_status=yellow&timeout=1s")
	maps.Copy(all, s.redisProcesses())
	for n := range s.replicas() {
		maps.Copy(all, s.replicaProcesses(n))
	}
	if !s.Atlassian.real {
		all["atlassian"] = s.process("atlassian", filepath.Join(s.Root, "bin", "atlassian"), "--listen", p.address(atlassian), "--public-url", p.url(atlassian), "--switches-listen", p.address(switches))
		all["atlassian"].Readiness = ready(p.address(switches), "/healthz")
	}
	all[keeper] = s.process(keeper, filepath.Join(s.Root, "bin", "stack"), "watch", "--run-dir", quote(s.RunDir),
		"--port-base", fmt.Sprint(int(p)), "--atlassian", s.Atlassian.setting())
	return all
}

// replicaProcesses describes the replica n of Envoy and of each service.
func (s Stack) replicaProcesses(n int) map[string]*process {
	p := s.Ports
	at := func(offset int) string { return s.at(n, offset) }
	service := func(name string, arguments ...string) *process {
		return s.process(replica(name, n), s.program(name, n), arguments...)
	}
	services := map[string]*process{
		"identity": service("identity", "--listen", at(identityHTTP), "--grpc-listen", at(identityGRPC), "--ops-listen", at(identityOps),
			s.redisFlags(), "--seal-key-file", quote(s.secret(sealKey)), "--public-url", p.publicURL(), "--console-url", p.consoleURL(),
			"--atlassian-mcp-url", quote(s.Atlassian.mcpURL), "--atlassian-api-url", s.Atlassian.apiURL, s.Atlassian.jiraFlags(s)),
		"authz": service("authz", "--listen", at(authzGRPC), "--ops-listen", at(authzOps), s.redisFlags(),
			"--identity", s.identity(), "--seal-key-file", quote(s.secret(sealKey)), "--public-url", p.publicURL(), s.originsFlag()),
		"accesslog": service("accesslog", "--listen", at(accesslogGRPC), "--ops-listen", at(accesslogOps),
			s.redisFlags(), "--elasticsearch", p.url(elasticHTTP)),
		"admin": service("admin", "--listen", at(adminGRPC), "--ops-listen", at(adminOps), s.redisFlags(),
			"--elasticsearch", p.url(elasticHTTP), "--token-file", quote(s.secret(adminToken)), "--identity", s.identity(), "--public-url", p.publicURL(), "--console-url", p.consoleURL(), "--envoy-admin", p.url(envoyAdmin),
			"--authz-ops", p.url(authzOps), "--identity-ops", p.url(identityOps), "--accesslog-ops", p.url(accesslogOps)),
	}
	envoy := s.process(replica("envoy", n), s.Parts.Envoy, "-c", quote(s.path(replica("envoy", n)+".yaml")), "--concurrency 2 --disable-hot-restart", s.envoyLog())
	envoy.Readiness = ready(loopback(p.envoyAdminPort(n)), "/ready")
	all := map[string]*process{replica("envoy", n): envoy}
	for name, ops := range map[string]int{"identity": identityOps, "authz": authzOps, "accesslog": accesslogOps, "admin": adminOps} {
		one := services[name]
		one.Readiness = ready(at(ops), "/readyz")
		// They say themselves whether Redis answers.
		one.DependsOn = map[string]dependency{"redis": {"process_started"}}
		all[replica(name, n)] = one
		envoy.after(replica(name, n))
	}
	if !s.Atlassian.real {
		services["identity"].after("atlassian")
	}
	return all
}

func (s Stack) redisLog() string {
	if s.Debug {
		return "--loglevel debug"
	}
	return ""
}

// envoyLog leaves out of debugging what prints headers and bodies, and so tokens.
func (s Stack) envoyLog() string {
	if s.Debug {
		return "--log-level debug --component-log-level http:info,http2:info,router:info,ext_authz:info,filter:info,client:info,grpc:info"
	}
	return "--log-level warn"
}

// keeper is the process that keeps state.json true. It is none of the parts.
const keeper = "state"

// process is a program with its arguments. It takes the place of the shell that starts it, so that
// the process id is the program's own, and writes its log itself, so that every line is there at once
// and as the program wrote it.
func (s Stack) process(name, program string, arguments ...string) *process {
	return &process{
		Command:      "exec " + quote(program) + " " + strings.Join(arguments, " ") + " >>" + quote(s.path("logs", name+".log")) + " 2>&1",
		WorkingDir:   s.Root,
		Availability: availability{Restart: "always", BackoffSeconds: 1},
		Shutdown:     shutdown{Signal: 15, TimeoutSeconds: 15},
	}
}

func (p *process) after(names ...string) {
	if p.DependsOn == nil {
		p.DependsOn = map[string]dependency{}
	}
	for _, name := range names {
		p.DependsOn[name] = dependency{"process_healthy"}
	}
}

// ready asks a part over HTTP, every second.
func ready(address, path string) *probe {
	host, port, _ := strings.Cut(address, ":")
	n, _ := strconv.Atoi(port) // the stack's own
	return probed(&probe{HTTPGet: &httpGet{host, n, path, "http"}})
}

// probed sets how often. A part that isn't ready for long must not be given up: process-compose
// stops one for good after FailureThreshold failures, and Redis may be away for longer than that.
// The time for starting is limited by startTimeout.
func probed(p *probe) *probe {
	p.PeriodSeconds, p.TimeoutSeconds, p.FailureThreshold = 1, 3, math.MaxInt32
	return p
}

// pong is a shell command that asks Redis whether it answers, as it doesn't while it loads its data.
func pong(port int) string {
	return fmt.Sprintf(`exec 3<>/dev/tcp/127.0.0.1/%d && printf 'PING\r\n' >&3 && read -r -t 2 answer <&3 && [[ $answer == +PONG* ]]`, port)
}

// quote protects a path from the shell.
func quote(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }

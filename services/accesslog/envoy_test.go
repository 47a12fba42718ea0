package accesslog_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"sallyport/services/accesslog"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/process"
	"sallyport/services/internal/processtest"
	"sallyport/services/internal/redistest"
)

// front is the Envoy that is shipped, with accesslog behind it. What names a record is allowed, and
// recorded under that id; nobody is known for anything else.
type front struct {
	t       testing.TB
	url     string
	redis   *redis.Client
	metrics prometheus.Gatherer
	// closeDoor ends what stands where authz would answer.
	closeDoor func()
}

// door stands where authz would answer.
type door struct {
	authv3.UnimplementedAuthorizationServer
}

func (door) Check(_ context.Context, check *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	note := activity.Note{Index: index, Requests: 1}
	for _, h := range check.GetAttributes().GetRequest().GetHttp().GetHeaderMap().GetHeaders() {
		switch h.GetKey() {
		case "record":
			note.IDs = []string{string(h.GetRawValue())}
		case "index":
			note.Index = string(h.GetRawValue())
		case "requests":
			_, _ = fmt.Sscan(string(h.GetRawValue()), &note.Requests)
		}
	}
	if len(note.IDs) == 0 {
		return &authv3.CheckResponse{
			Status:       &rpcstatus.Status{Code: int32(codes.PermissionDenied)},
			HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{Status: &typev3.HttpStatus{Code: typev3.StatusCode_Unauthorized}}},
		}, nil
	}
	return &authv3.CheckResponse{
		Status:          &rpcstatus.Status{},
		HttpResponse:    &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{}},
		DynamicMetadata: note.Struct(),
	}, nil
}

// openFront is a front without an Elasticsearch.
func openFront(t *testing.T, atlassian http.Handler) *front {
	t.Helper()
	return openFrontWith(t, atlassian, "http://127.0.0.1:1")
}

func openFrontWith(t testing.TB, atlassian http.Handler, elasticsearch string) *front {
	t.Helper()
	server := httptest.NewServer(atlassian)
	t.Cleanup(server.Close)
	// Envoy wants a certificate, though Atlassian is reached without TLS here.
	return openFrontTo(t, upstream{address: strings.TrimPrefix(server.URL, "http://"), tls: "false", authorities: certificates(t)}, elasticsearch)
}

// upstream is where Atlassian is, with the file of authorities that its certificate has to be from.
type upstream struct{ address, tls, authorities string }

func openFrontTo(t testing.TB, atlassian upstream, elasticsearch string) *front {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	authz := grpc.NewServer()
	authv3.RegisterAuthorizationServer(authz, door{})
	go func() { _ = authz.Serve(listener) }()
	t.Cleanup(authz.Stop)
	address := redistest.Start(t)
	cfg := accesslog.Config{Listen: nativetest.FreeAddress(t), Redis: address, Elasticsearch: elasticsearch}
	f := &front{t: t, redis: redis.NewClient(&redis.Options{Addr: address}), closeDoor: authz.Stop}
	processtest.Run(t, &processtest.Log{}, func(ctx context.Context, p *process.Process) error {
		f.metrics = p.Metrics
		return accesslog.Start(ctx, p, cfg)
	})
	t.Cleanup(func() { _ = f.redis.Close() })
	f.startEnvoy(atlassian, map[string]string{
		"AUTHZ": listener.Addr().String(), "ACCESSLOG": cfg.Listen, "ADMIN": "127.0.0.1:1", "IDENTITY": "127.0.0.1:1", "ATLASSIAN": atlassian.address,
	})
	return f
}

// certificates is a file with one.
func certificates(t testing.TB) string {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	return file
}

func (f *front) startEnvoy(atlassian upstream, addresses map[string]string) {
	f.t.Helper()
	root, err := filepath.Abs("../..")
	must(f.t, err)
	public := nativetest.FreeAddress(f.t)
	_, admin, _ := strings.Cut(nativetest.FreeAddress(f.t), ":")
	_, console, _ := strings.Cut(nativetest.FreeAddress(f.t), ":")
	_, ops, _ := strings.Cut(nativetest.FreeAddress(f.t), ":")
	_, port, _ := strings.Cut(public, ":")
	f.url = "http://" + public + "/mcp"
	values := map[string]string{
		"LISTEN_ADDRESS": "127.0.0.1", "PUBLIC_PORT": port, "CONSOLE_PORT": console, "ENVOY_ADMIN_PORT": admin, "ENVOY_OPS_PORT": ops,
		"TRANSPORT_SOCKET": `{name: envoy.transport_sockets.raw_buffer, typed_config: {"@type": type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer}}`,
		"TRACING":          "null",
		"ALLOWED_ORIGINS":  "http://localhost", "PUBLIC_URL": "http://" + public, "PUBLIC_AUTHORITY": public, "CONSOLE_AUTHORITY": "127.0.0.1:1",
		"CONSOLE_URL": "http://127.0.0.1:1", "CONSOLE_DIR": f.t.TempDir(),
		"PROTO_DESCRIPTOR": filepath.Join(root, "envoy", "admin.binpb"), "CA_FILE": atlassian.authorities,
		"ATLASSIAN_PATH": "/mcp", "ATLASSIAN_TLS": atlassian.tls, "ATLASSIAN_AUTHORITY": atlassian.address,
	}
	for name, address := range addresses {
		values[name+"_HOST"], values[name+"_PORT"], _ = strings.Cut(address, ":")
	}
	text, err := os.ReadFile(filepath.Join(root, "envoy", "envoy.yaml"))
	must(f.t, err)
	rendered := string(text)
	for name, value := range values {
		rendered = strings.ReplaceAll(rendered, "${"+name+"}", value)
	}
	file := filepath.Join(f.t.TempDir(), "envoy.yaml")
	must(f.t, os.WriteFile(file, []byte(rendered), 0o600))
	program := nativetest.Find().Envoy
	if program == "" {
		f.t.Fatal("there is no Envoy: run `make parts`")
	}
	var log bytes.Buffer
	command := exec.Command(program, "-c", file, "--concurrency", "1", "--log-level", "warn", "--disable-hot-restart")
	command.Stdout, command.Stderr = &log, &log
	must(f.t, command.Start())
	f.t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if f.t.Failed() {
			f.t.Logf("Envoy said:\n%s", log.String())
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		response, err := http.Get("http://127.0.0.1:" + admin + "/ready")
		if err == nil {
			response.Body.Close()
		}
		if err == nil && response.StatusCode == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("Envoy isn't ready: %v\n%s", err, log.String())
		}
	}
}

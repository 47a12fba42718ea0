package admin_test

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/process"
	"sallyport/services/internal/processtest"
	"sallyport/services/internal/redistest"
)

const (
	token        = "0123456789abcdef0123456789abcdef"
	robotToken   = "fedcba9876543210fedcba9876543210"
	viewerToken  = "00000000000000000000000000viewer"
	auditorToken = "0000000000000000000000000auditor"
)

// nowhere is an address at which nothing listens.
const nowhere = "127.0.0.1:1"

func TestMain(m *testing.M) { os.Exit(elastictest.Run(m)) }

// start runs the service and returns a connection to it. Parts that cfg doesn't name are nowhere.
func start(t testing.TB, cfg admin.Config) *grpc.ClientConn {
	t.Helper()
	cfg.Listen = nativetest.FreeAddress(t)
	cfg.TokenFile = filepath.Join(t.TempDir(), "token")
	lines := []string{"# everybody", token, "ci-robot " + robotToken, "reader viewer " + viewerToken, "reviewer auditor " + auditorToken}
	err := os.WriteFile(cfg.TokenFile, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	cfg.PublicURL = cmp.Or(cfg.PublicURL, "http://localhost:8800")
	cfg.StreamLimit = cmp.Or(cfg.StreamLimit, 1000)
	cfg.TailLimit, cfg.TailPatience = cmp.Or(cfg.TailLimit, 100_000), cmp.Or(cfg.TailPatience, time.Minute)
	for _, address := range []*string{&cfg.Elasticsearch, &cfg.EnvoyAdmin, &cfg.AuthzOps, &cfg.IdentityOps, &cfg.AccesslogOps} {
		if *address == "" {
			*address = "http://" + nowhere
		}
	}
	for _, address := range []*string{&cfg.Redis, &cfg.Identity} {
		if *address == "" {
			*address = nowhere
		}
	}
	processtest.Run(t, &processtest.Log{}, func(ctx context.Context, p *process.Process) error { return admin.Start(ctx, p, cfg) })
	return processtest.Dial(t, cfg.Listen)
}

// asAdmin presents the admin token.
func asAdmin(t testing.TB) context.Context {
	t.Helper()
	return with(t, token)
}

// with presents a token.
func with(t testing.TB, token string) context.Context {
	t.Helper()
	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
}

func TestEveryCallNeedsTheToken(t *testing.T) {
	conn := start(t, admin.Config{})
	for name, given := range map[string][]string{
		"no token":          nil,
		"another token":     {"Bearer " + strings.Repeat("0", len(token))},
		"a part of it":      {"Bearer " + token[:31]},
		"no scheme":         {token},
		"another scheme":    {"Basic " + token},
		"two authorization": {"Bearer " + token, "Bearer " + token},
		"nothing":           {""},
	} {
		ctx := t.Context()
		for _, value := range given {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", value)
		}
		for service, names := range methods() {
			for _, method := range names {
				err := invoke(ctx, conn, "/"+service+"/"+method)
				if status.Code(err) != codes.Unauthenticated || !strings.Contains(status.Convert(err).Message(), "authorization: Bearer") {
					t.Errorf("%s: %s/%s answered %v, want Unauthenticated and what to send", name, service, method, err)
				}
			}
		}
	}
	health, err := healthgrpc.NewHealthClient(conn).Check(t.Context(), &healthgrpc.HealthCheckRequest{})
	if err != nil || health.GetStatus() != healthgrpc.HealthCheckResponse_SERVING {
		t.Errorf("health answered %v, %v without a token, want serving", health, err)
	}
}

// invoke calls a method, as a stream, which on the wire is what a unary call is too.
func invoke(ctx context.Context, conn *grpc.ClientConn, method string) error {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method)
	if err != nil {
		return err
	}
	err = errors.Join(stream.SendMsg(&adminv1.GetStatusRequest{}), stream.CloseSend())
	if err != nil {
		return err
	}
	return stream.RecvMsg(&adminv1.GetStatusResponse{})
}

// methods lists the API's methods, of one message and of many, by service.
func methods() map[string][]string {
	services := map[string][]string{}
	protoregistry.GlobalFiles.RangeFilesByPackage("sallyport.admin.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				services[string(service.FullName())] = append(services[string(service.FullName())], string(service.Methods().Get(j).Name()))
			}
		}
		return true
	})
	return services
}

func TestStartRefusesATokenFile(t *testing.T) {
	for content, says := range map[string]string{
		"secret":                       "line 1 of .* 32 are the least",
		"# nobody\n\n":                 "holds none",
		"a b c " + token:               "line 1 of .* has 4 words",
		token + "\nci editor " + token: "line 2 of .* has the role \"editor\"",
		"ci VIEWER " + token:           "has the role \"VIEWER\"",
		"ci viewer 0123456789abcdef":   "one of 16 characters",
	} {
		file := filepath.Join(t.TempDir(), "token")
		err := os.WriteFile(file, []byte(content+"\n"), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		cfg := admin.Config{TokenFile: file, Common: process.Common{OpsListen: "127.0.0.1:0"}}
		err = process.Run(t.Context(), slog.New(slog.DiscardHandler), cfg.Common, func(ctx context.Context, p *process.Process) error {
			return admin.Start(ctx, p, cfg)
		})
		if err == nil || !regexp.MustCompile(says).MatchString(err.Error()) || strings.Contains(err.Error(), token) {
			t.Errorf("%q: %v, want one that says %q", content, err, says)
		}
	}
}

// redisOnly is a configuration with a Redis of the test's own.
func redisOnly(t *testing.T) admin.Config {
	t.Helper()
	return admin.Config{Redis: redistest.Start(t)}
}

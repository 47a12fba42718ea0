package admin_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/process"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// ops is a part's readiness endpoint at path that answers after a time.
func ops(t *testing.T, path string, code int, body string, after time.Duration) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		select {
		case <-time.After(after):
			http.Error(w, body, code)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestStatusOfAllParts(t *testing.T) {
	cfg := admin.Config{Redis: redistest.StartDurable(t).Address}
	cfg.Elasticsearch = elastictest.Empty(t)
	cfg.EnvoyAdmin = ops(t, "/ready", http.StatusOK, "LIVE", 0)
	cfg.AuthzOps = ops(t, "/readyz", http.StatusOK, "ready", 0)
	cfg.IdentityOps = ops(t, "/readyz", http.StatusOK, "ready", 0)
	cfg.AccesslogOps = ops(t, "/readyz", http.StatusOK, "ready", 0)
	conn := start(t, cfg)
	ctx := asAdmin(t)
	seeded(ctx, t, adminv1.NewPolicyServiceClient(conn))
	got, err := adminv1.NewStatusServiceClient(conn).GetStatus(ctx, &adminv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"envoy", "authz", "identity", "accesslog", "redis", "elasticsearch"}
	for i, p := range got.GetParts() {
		if p.GetName() != want[i] || p.GetState() != adminv1.PartState_PART_STATE_READY || p.GetDetail() != "" {
			t.Errorf("part %d is %v, want %s ready", i, p, want[i])
		}
	}
	if got.GetMcpUrl() != "http://localhost:8800/mcp" || got.GetCallbackUrl() != "http://localhost:8800/mcp/callback" {
		t.Errorf("got URLs %s and %s", got.GetMcpUrl(), got.GetCallbackUrl())
	}
	if got.GetPolicyVersion() != 1 || got.GetWaiting() != 0 || got.GetBehind().AsDuration() != 0 {
		t.Errorf("got policy %d, %d waiting, %v behind; want 1, 0, 0", got.GetPolicyVersion(), got.GetWaiting(), got.GetBehind().AsDuration())
	}
}

func TestStatusSaysWhatIsWrong(t *testing.T) {
	cfg := admin.Config{Redis: redistest.StartDurable(t).Address}
	cfg.AuthzOps = ops(t, "/readyz", http.StatusServiceUnavailable, "redis: no route", 0)
	cfg.IdentityOps = ops(t, "/readyz", http.StatusOK, "ready", time.Minute)
	cfg.AccesslogOps = ops(t, "/readyz", http.StatusOK, "ready", 0)
	began := time.Now()
	got, err := adminv1.NewStatusServiceClient(start(t, cfg)).GetStatus(asAdmin(t), &adminv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("took %v with a part that doesn't answer, want about 2 s", took)
	}
	for i, want := range []struct {
		state  adminv1.PartState
		detail string
	}{
		{adminv1.PartState_PART_STATE_DOWN, "nothing listens there"},
		{adminv1.PartState_PART_STATE_DEGRADED, "redis: no route"},
		{adminv1.PartState_PART_STATE_DOWN, "no answer within 2s"},
		{adminv1.PartState_PART_STATE_READY, ""},
		{adminv1.PartState_PART_STATE_READY, ""},
		{adminv1.PartState_PART_STATE_DOWN, "Elasticsearch doesn't answer"},
	} {
		part := got.GetParts()[i]
		if part.GetState() != want.state || !strings.Contains(part.GetDetail(), want.detail) {
			t.Errorf("%s is %v: %q; want %v and %q", part.GetName(), part.GetState(), part.GetDetail(), want.state, want.detail)
		}
	}
}

func TestStatusWithoutRedis(t *testing.T) {
	t.Parallel()
	got, err := adminv1.NewStatusServiceClient(start(t, admin.Config{})).GetStatus(asAdmin(t), &adminv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	part := got.GetParts()[4]
	if part.GetState() != adminv1.PartState_PART_STATE_DOWN || !strings.HasPrefix(part.GetDetail(), "Redis doesn't answer: nothing listens there.") {
		t.Errorf("got %v, want redis down", part)
	}
}

func TestStatusTellsOfABacklog(t *testing.T) {
	cfg := redisOnly(t)
	cfg.Elasticsearch = elastictest.Empty(t)
	cfg.AccesslogOps = ops(t, "/readyz", http.StatusOK, "ready", 0)
	store := state.Open(cfg.Redis)
	defer store.Close()
	// The oldest entry is as old as its id says.
	client := redis.NewClient(&redis.Options{Addr: cfg.Redis})
	defer client.Close()
	err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: "{sallyport}:activity", ID: "1-0", Values: []string{"kind", "decision"}}).Err()
	if err != nil {
		t.Fatal(err)
	}
	err = store.AppendOutcomes(t.Context(), []state.Entry{{ID: "b"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := adminv1.NewStatusServiceClient(start(t, cfg)).GetStatus(asAdmin(t), &adminv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got.GetWaiting() != 2 || got.GetBehind().AsDuration() < time.Hour {
		t.Errorf("got %d waiting, %v behind; want 2, and since 1970", got.GetWaiting(), got.GetBehind().AsDuration())
	}
	if part := got.GetParts()[3]; part.GetState() != adminv1.PartState_PART_STATE_DEGRADED || !strings.Contains(part.GetDetail(), "waited to be indexed") {
		t.Errorf("got %v, want accesslog degraded by the backlog", part)
	}
}

// TestStatusTellsThatTheStreamFills shows that it does so while calls are still taken.
func TestStatusTellsThatTheStreamFills(t *testing.T) {
	cfg := redisOnly(t)
	cfg.AccesslogOps = ops(t, "/readyz", http.StatusOK, "ready", 0)
	cfg.StreamLimit = 4
	store := state.Open(cfg.Redis)
	defer store.Close()
	client := adminv1.NewStatusServiceClient(start(t, cfg))
	for _, want := range []adminv1.PartState{adminv1.PartState_PART_STATE_READY, adminv1.PartState_PART_STATE_DEGRADED} {
		err := store.AppendOutcomes(t.Context(), []state.Entry{{ID: "a"}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := client.GetStatus(asAdmin(t), &adminv1.GetStatusRequest{})
		if err != nil {
			t.Fatal(err)
		}
		part := got.GetParts()[3]
		if part.GetState() != want || want != adminv1.PartState_PART_STATE_READY && !strings.HasPrefix(part.GetDetail(), "2 of at most 4 entries wait") {
			t.Errorf("with %d waiting accesslog is %v, want %v", got.GetWaiting(), part, want)
		}
	}
}

// telling is the ops address of a service that tells these settings.
func telling(t *testing.T, settings map[string]string) string {
	t.Helper()
	address := nativetest.FreeAddress(t)
	ctx, stop := context.WithCancel(t.Context())
	started, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- process.Run(ctx, slog.New(slog.DiscardHandler), process.Common{OpsListen: address}, func(_ context.Context, p *process.Process) error {
			for flag, value := range settings {
				p.ShowSetting(flag, value)
			}
			close(started)
			return nil
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-started
	return "http://" + address
}

// TestStatusTellsWhatIsSet asks several services for the settings that hold, some of which aren't there.
func TestStatusTellsWhatIsSet(t *testing.T) {
	cfg := redisOnly(t)
	cfg.AccesslogOps = telling(t, map[string]string{"retention-days": "400", "protocol-retention-days": "0"})
	got, err := adminv1.NewStatusServiceClient(start(t, cfg)).GetStatus(with(t, viewerToken), &adminv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"accesslog protocol-retention-days=0 SALLYPORT_PROTOCOL_RETENTION_DAYS", "accesslog retention-days=400 SALLYPORT_RETENTION_DAYS",
	}
	var settings []string
	for _, s := range got.GetSettings() {
		settings = append(settings, s.GetPart()+" "+s.GetFlag()+"="+s.GetValue()+" "+s.GetEnvironment())
	}
	if !slices.Equal(settings, want) {
		t.Errorf("got settings %q, want %q", settings, want)
	}
}

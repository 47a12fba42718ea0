package admin_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/redistest"
)

// TestStatusTellsHowRedisKeeps changes settings of a real Redis, one after the other.
func TestStatusTellsHowRedisKeeps(t *testing.T) {
	t.Parallel()
	server := redistest.StartDurable(t)
	client := redis.NewClient(&redis.Options{Addr: server.Address})
	defer client.Close()
	statuses := adminv1.NewStatusServiceClient(start(t, admin.Config{Redis: server.Address}))
	for _, test := range []struct{ setting, value, back, says, remedy string }{
		{"appendonly", "no", "yes", "Redis has no append-only file", "Run `redis-cli CONFIG SET appendonly yes` now"},
		{"appendfsync", "no", "always", "Redis leaves it to the kernel", "Run `redis-cli CONFIG SET appendfsync everysec` now"},
		{"maxmemory-policy", "volatile-ttl", "noeviction", "(maxmemory-policy volatile-ttl)", "Run `redis-cli CONFIG SET maxmemory-policy noeviction` now"},
		{"maxmemory", "1mb", "0", "of the 1 MiB that it may", "Give it more memory"},
	} {
		for _, value := range []string{test.value, test.back} {
			want := map[string]adminv1.PartState{test.value: adminv1.PartState_PART_STATE_DEGRADED, test.back: adminv1.PartState_PART_STATE_READY}[value]
			err := client.ConfigSet(t.Context(), test.setting, value).Err()
			if err != nil {
				t.Fatal(err)
			}
			got, err := statuses.GetStatus(asAdmin(t), &adminv1.GetStatusRequest{})
			if err != nil {
				t.Fatal(err)
			}
			part := got.GetParts()[4]
			if part.GetState() != want {
				t.Errorf("with %s %s Redis is %v", test.setting, value, part)
			}
			if want == adminv1.PartState_PART_STATE_DEGRADED && (!strings.Contains(part.GetDetail(), test.says) || !strings.HasPrefix(part.GetRemedy(), test.remedy) ||
				!strings.HasSuffix(part.GetDetail(), " "+part.GetRemedy())) {
				t.Errorf("with %s %s it says %q, and to do %q", test.setting, value, part.GetDetail(), part.GetRemedy())
			}
		}
	}
}

// TestStatusTellsThatRedisCannotWrite takes the folder of its append-only file away, and has it write that anew.
func TestStatusTellsThatRedisCannotWrite(t *testing.T) {
	t.Parallel()
	server := redistest.StartDurable(t)
	client := redis.NewClient(&redis.Options{Addr: server.Address})
	defer client.Close()
	dir, err := client.ConfigGet(t.Context(), "dir").Result()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir["dir"], "appendonlydir")
	err = errors.Join(os.Rename(folder, folder+".away"), os.WriteFile(folder, nil, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	// It answers that it can't, or finds out later.
	_ = client.BgRewriteAOF(t.Context()).Err()
	got, err := adminv1.NewStatusServiceClient(start(t, admin.Config{Redis: server.Address})).GetStatus(asAdmin(t), &adminv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if part := got.GetParts()[4]; !strings.HasPrefix(part.GetDetail(), "Redis couldn't write its append-only file the last time") {
		t.Errorf("got %v", part)
	}
}

// TestStatusTellsClocks has a part whose clock is ten minutes ahead.
func TestStatusTellsClocks(t *testing.T) {
	t.Parallel()
	ahead := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(10*time.Minute).UTC().Format(http.TimeFormat))
	}))
	defer ahead.Close()
	cfg := redisOnly(t)
	cfg.AuthzOps = ahead.URL
	got, err := adminv1.NewStatusServiceClient(start(t, cfg)).GetStatus(asAdmin(t), &adminv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	parts := got.GetParts()
	if off := parts[1].GetClockAhead().AsDuration(); off < 9*time.Minute || off > 11*time.Minute {
		t.Errorf("authz is %v ahead, want 10 minutes", off)
	}
	if off := parts[4].GetClockAhead().AsDuration().Abs(); parts[4].GetClockAhead() == nil || off > time.Minute {
		t.Errorf("Redis on this computer is %v ahead", off)
	}
	if parts[5].GetClockAhead() != nil {
		t.Errorf("Elasticsearch, which isn't there, tells the time: %v", parts[5])
	}
	if off := time.Since(got.GetAnsweredAt().AsTime()).Abs(); off > time.Minute {
		t.Errorf("it answered %v ago", off)
	}
}

// TestStatusAsksAtlassianOnlyIfToldTo has no identity that could.
func TestStatusAsksAtlassianOnlyIfToldTo(t *testing.T) {
	t.Parallel()
	cfg := redisOnly(t)
	statuses := adminv1.NewStatusServiceClient(start(t, cfg))
	for now, want := range map[bool]string{false: "", true: "The identity service doesn't answer. Start it again, and look into its log if it ends."} {
		got, err := statuses.GetStatus(asAdmin(t), &adminv1.GetStatusRequest{AskAtlassian: now})
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		for _, p := range got.GetParts() {
			if p.GetName() == "rovo" {
				said = p.GetDetail()
			}
		}
		if said != want {
			t.Errorf("told to ask is %v: it says %q of Rovo, want %q", now, said, want)
		}
	}
}

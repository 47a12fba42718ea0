package admin_test

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.yaml.in/yaml/v3"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/state"
)

// setupCase is a case of testdata/setup.yaml.
type setupCase struct {
	Name      string
	PublicURL string `yaml:"public_url"`
	Callback  string
	Seen      []struct {
		What       state.Observation
		Code, Text string
		Lost       int
	}
	Items map[string]struct{ State, Says string }
}

func TestSetupAtRovo(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/setup.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []setupCase
	err = yaml.Unmarshal(text, &cases)
	if err != nil {
		t.Fatal(err)
	}
	cfg := redisOnly(t)
	clients := map[string]adminv1.StatusServiceClient{}
	for _, c := range cases {
		cfg.PublicURL = c.PublicURL
		if clients[c.PublicURL] == nil {
			clients[c.PublicURL] = adminv1.NewStatusServiceClient(start(t, cfg))
		}
		t.Run(c.Name, func(t *testing.T) {
			c.see(t, cfg)
			answer, err := clients[c.PublicURL].GetStatus(asAdmin(t), &adminv1.GetStatusRequest{})
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range answer.GetSetup() {
				want, asked := c.Items[item.GetName()]
				if !asked {
					continue
				}
				delete(c.Items, item.GetName())
				if got := stateWord(item.GetState()); got != want.State || !strings.Contains(item.GetDetail(), want.Says) {
					t.Errorf("%s is %s: %s\nwant %s: %s", item.GetName(), got, item.GetDetail(), want.State, want.Says)
				}
			}
			if len(c.Items) > 0 {
				t.Errorf("not told: %v", c.Items)
			}
		})
	}
}

// see makes a Redis hold what the case says was seen, and nothing else.
func (c setupCase) see(t *testing.T, cfg admin.Config) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: cfg.Redis})
	defer client.Close()
	err := client.FlushDB(t.Context()).Err()
	if err != nil {
		t.Fatal(err)
	}
	store := state.Open(cfg.Redis)
	defer store.Close()
	callback := c.Callback
	if callback == "" {
		callback = cmp.Or(cfg.PublicURL, "http://localhost:8800") + "/mcp/callback"
	}
	for _, seen := range c.Seen {
		for i := range seen.Lost {
			hash := fmt.Sprint("lost", i)
			err = store.ObserveSignIn(t.Context(), callback, hash)
			if err != nil {
				t.Fatal(err)
			}
			ago := float64(time.Now().Add(-11 * time.Minute).UnixMilli())
			err = client.ZAdd(t.Context(), "{sallyport}:observed-out", redis.Z{Score: ago, Member: hash}).Err()
			if err != nil {
				t.Fatal(err)
			}
		}
		if seen.What == "" {
			continue
		}
		err = store.Observe(t.Context(), callback, seen.What, state.Note{Code: seen.Code, Text: seen.Text})
		if err != nil {
			t.Fatal(err)
		}
		// What is seen is told apart by milliseconds.
		time.Sleep(2 * time.Millisecond)
	}
}

func stateWord(s adminv1.SetupState) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "SETUP_STATE_"))
}

func TestSetupAtRovoWithoutRedis(t *testing.T) {
	t.Parallel()
	answer, err := adminv1.NewStatusServiceClient(start(t, admin.Config{})).GetStatus(asAdmin(t), &adminv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	unknown := 0
	for _, item := range answer.GetSetup() {
		if strings.HasPrefix(item.GetDetail(), "Redis doesn't answer, so what was seen") && stateWord(item.GetState()) == "unknown" {
			unknown++
		}
	}
	if unknown != 3 {
		t.Errorf("got %v, want all three that rest on what was seen unknown", answer.GetSetup())
	}
}

package identity_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sallyport/services/identity"
	"sallyport/services/internal/nativetest"
)

// registerFrom registers as Envoy passes it on for somebody at an address.
func (d *deployment) registerFrom(base, source, metadata string) answer {
	d.t.Helper()
	r, err := http.NewRequest(http.MethodPost, base+"/oauth/register", strings.NewReader(metadata))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("X-Sallyport-Source", source)
	// A client can say what it likes in these.
	r.Header.Set("X-Forwarded-For", "198.51.100."+strconv.Itoa(time.Now().Nanosecond()%250))
	r.Header.Set("Forwarded", "for=198.51.100.1")
	response, err := http.DefaultClient.Do(r)
	return readAnswer(d.t, response, err)
}

const plainRegistration = `{"client_name":"Codex","redirect_uris":["http://localhost/callback"]}`

func TestAttackFloodOfRegistrations(t *testing.T) {
	d := deploy(t, func(cfg *identity.Config) { cfg.RegistrationsPerAddress, cfg.RegistrationsInAll = 5, 12 })
	listen := nativetest.FreeAddress(t)
	d.serve(listen)
	replicas := []string{d.url, "http://" + listen}
	registered := func(sources ...string) (n int, last answer) {
		for i := range 20 {
			got := d.registerFrom(replicas[i%2], sources[i%len(sources)], plainRegistration)
			switch got.status {
			case http.StatusCreated:
				n++
			case http.StatusTooManyRequests:
				last = got
			default:
				t.Fatalf("got %d %v", got.status, got.body)
			}
		}
		return n, last
	}
	n, last := registered("203.0.113.7")
	if n != 5 {
		t.Errorf("one address registered %d times at two replicas, want 5", n)
	}
	wait, err := strconv.Atoi(last.header.Get("Retry-After"))
	if err != nil || wait < 1 || wait > 600 || last.text("error") != "too_many_requests" || !strings.Contains(last.text("error_description"), "minutes") {
		t.Errorf("refused with %v %v", last.header, last.body)
	}
	// One machine has a whole IPv6 network of addresses.
	n, _ = registered("2001:db8::1", "2001:db8::2", "2001:db8::ffff:1", "2001:db8::3")
	if n != 5 {
		t.Errorf("one IPv6 network registered %d times, want 5", n)
	}
	n, _ = registered("203.0.113.8", "203.0.113.9", "203.0.113.10")
	if n != 2 {
		t.Errorf("all together registered %d times more, want 2", n)
	}
}

func TestAttackFloodOfMetadataURLs(t *testing.T) {
	d, internet := deployWithDocuments(t, "claude.test", "*.claude.test")
	d.cfg.RegistrationsPerAddress, d.cfg.RegistrationsInAll = 3, 1000
	listen := nativetest.FreeAddress(t)
	d.serve(listen)
	a := d.connect("Codex")
	for i := range 10 {
		id := internet.URL("claude.test", "/client"+strconv.Itoa(i))
		internet.Point("claude.test", []string{"127.0.0.1"})
		address := strings.Replace(a.authorizeURL("client_id", id), d.url, "http://"+listen, 1)
		got := a.browser.open(address)
		if limited := strings.Contains(got.text, "Try again in"); limited != (i >= 3) || got.status != http.StatusBadRequest {
			t.Errorf("the %d. time: %d\n%s", i+1, got.status, got.text)
		}
		// Those who are limited can still name a client that is known.
		if got := a.browser.open(a.authorizeURL()); got.status != http.StatusOK {
			t.Errorf("a known client: %d", got.status)
		}
	}
	if n := internet.Requests.Load(); n != 3 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestAttackOversizedRegistration(t *testing.T) {
	d := deploy(t)
	redirect := func(n int) string { return `"http://localhost/` + strings.Repeat("x", n) + `"` }
	for name, metadata := range map[string]string{
		"a name of 9 KiB":       `{"client_name":"` + strings.Repeat("x", 9<<10) + `","redirect_uris":["http://localhost/callback"]}`,
		"an unused member":      `{"redirect_uris":["http://localhost/callback"],"x":"` + strings.Repeat("x", 9<<10) + `"}`,
		"a long redirect":       `{"redirect_uris":[` + redirect(2048) + `]}`,
		"many redirects":        `{"redirect_uris":[` + strings.Repeat(redirect(1)+",", 20) + redirect(1) + `]}`,
		"deep nesting":          `{"redirect_uris":["http://localhost/callback"],"x":` + strings.Repeat("[", 8000) + `}`,
		"nothing but beginning": strings.Repeat(" ", 9<<10),
	} {
		got := d.register(metadata)
		if got.status != http.StatusBadRequest || !strings.HasPrefix(got.text("error"), "invalid_") {
			t.Errorf("%s: %d %v", name, got.status, got.body)
		}
	}
	got := d.register(`{"client_name":"` + strings.Repeat("x", 1000) + `","redirect_uris":["http://localhost/callback"]}`)
	if got.status != http.StatusCreated || len(got.text("client_name")) > 80 {
		t.Errorf("a long name: %d %v", got.status, got.body)
	}
}

// A registration nobody signs in with is forgotten after a day; one in use is kept for 90 days after
// its last use, since Codex doesn't recover from a lost one.
func TestUnusedRegistrationsAreCollected(t *testing.T) {
	d := deploy(t)
	client := redis.NewClient(&redis.Options{Addr: d.cfg.Redis})
	defer client.Close()
	a := d.connect("Codex")
	left := func() time.Duration {
		life, err := client.TTL(t.Context(), "{sallyport}:registration:"+a.id).Result()
		if err != nil {
			t.Fatal(err)
		}
		return life.Round(time.Hour)
	}
	age := func(life time.Duration) {
		err := client.Expire(t.Context(), "{sallyport}:registration:"+a.id, life).Err()
		if err != nil {
			t.Fatal(err)
		}
	}
	a.browser.open(a.authorizeURL())
	if got := left(); got != 24*time.Hour {
		t.Errorf("unused, it is kept for %s", got)
	}
	tokens := a.tokens("ana@acme.test")
	if got := left(); got != 90*24*time.Hour {
		t.Errorf("used, it is kept for %s", got)
	}
	age(time.Hour)
	if next := a.refresh(tokens.text("refresh_token")); next.status != http.StatusOK || left() != 90*24*time.Hour {
		t.Errorf("after a refresh (%d), it is kept for %s", next.status, left())
	}
	age(time.Hour)
	a.refresh("made-up").refused(t, http.StatusBadRequest, "invalid_grant")
	if got := left(); got != time.Hour {
		t.Errorf("after a refused refresh, it is kept for %s", got)
	}
	err := client.Del(t.Context(), "{sallyport}:registration:"+a.id).Err()
	if err != nil {
		t.Fatal(err)
	}
	a.refresh(tokens.text("refresh_token")).refused(t, http.StatusUnauthorized, "invalid_client")
	got := a.browser.open(a.authorizeURL())
	if got.status != http.StatusBadRequest || !strings.Contains(got.text, "has forgotten it") {
		t.Errorf("a forgotten client: %d\n%s", got.status, got.text)
	}
}

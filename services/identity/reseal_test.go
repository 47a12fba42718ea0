package identity_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/processtest"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

// fleet is two replicas of the service that are restarted one after the other.
type fleet struct {
	*deployment
	listen [2]string
	grpc   [2]string
	ends   [2]func()
	// between is called while the replicas read different files.
	between func()
}

func deployFleet(t *testing.T) *fleet {
	t.Helper()
	d := deploy(t)
	f := &fleet{deployment: d, between: func() {}}
	f.listen, f.grpc[0], f.ends[0] = [2]string{d.cfg.Listen, nativetest.FreeAddress(t)}, d.grpc, d.end
	f.grpc[1] = d.serve(f.listen[1])
	f.ends[1] = d.end
	return f
}

// restart writes the seal key file and restarts all replicas, each once the one before is back.
func (f *fleet) restart(keys ...string) {
	f.t.Helper()
	write(f.t, f.cfg.SealKeyFile, strings.Join(keys, "\n")+"\n")
	for i := range f.listen {
		f.ends[i]()
		f.grpc[i] = f.serve(f.listen[i])
		f.ends[i] = f.end
		f.between()
	}
}

func sealKey(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(readFile(t, processtest.SealKey(t)))
}

func (d *deployment) openBox() *seal.Box {
	d.t.Helper()
	box, err := seal.NewBox(d.cfg.SealKeyFile)
	if err != nil {
		d.t.Fatal(err)
	}
	return box
}

// hasLogged waits until something was logged so many times.
func (d *deployment) hasLogged(text string, times int) {
	d.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); strings.Count(d.log.String(), text) < times; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("%q isn't logged %d times", text, times)
		}
	}
}

// TestRotatingTheSealKey performs the steps of docs/operations.md while people are signed in, one of
// whom is at Atlassian's pages. Each refresh asks Atlassian, since tokens are about to end.
func TestRotatingTheSealKey(t *testing.T) {
	f := deployFleet(t)
	f.change("token_seconds", "60")
	former, next := strings.TrimSpace(readFile(t, f.cfg.SealKeyFile)), sealKey(t)
	ana, bo := f.connect("Codex"), f.connect("Cursor")
	account, tokens := ana.account("ana@acme.test")
	asleep, sleeping := bo.account("bo@acme.test")
	running := [2]*seal.Box{f.openBox(), f.openBox()} // what an authz beside each replica has read
	refreshed := 0
	check := func() {
		t.Helper()
		for _, address := range f.grpc {
			before := f.upstream(account).Rev
			err := f.refreshUpstream(address, account)
			if err != nil || f.upstream(account).Rev == before {
				t.Errorf("refreshing: %v", err)
			}
			refreshed++
			for _, who := range []string{account, asleep} {
				for _, box := range running {
					_, err = box.Open(f.upstream(who).Access, state.AccessUse(who))
					if err != nil {
						t.Errorf("authz can't open a token: %v", err)
					}
				}
			}
		}
		tokens = ana.refresh(tokens.text("refresh_token"))
		if tokens.status != http.StatusOK || !f.works(tokens.text("access_token")) || !f.works(sleeping.text("access_token")) {
			t.Error("somebody was signed out")
		}
	}
	step := 0
	f.between = func() {
		running[step%2] = f.openBox()
		step++
		check()
	}
	check()

	f.restart(former, next)
	late := f.connect("Claude Code")
	atAtlassian := late.browser.submit(late.browser.open(late.authorizeURL()), "decision", "allow")

	f.restart(next, former)
	// Each replica says so of each of both files.
	f.hasLogged("the other keys can be taken out of the seal key file", 4)
	for _, who := range []string{account, asleep} {
		if u := f.upstream(who); !running[0].Current(u.Access) || !running[0].Current(u.Refresh) {
			t.Errorf("the tokens of %s are under the former key", who)
		}
	}
	back, _ := late.finish(atAtlassian, "cy@acme.test")
	if got := late.exchange(late.calledBack(back).Get("code")); got.status != http.StatusOK {
		t.Errorf("the sign-in that was under way: %d %v", got.status, got.body)
	}

	f.restart(next)
	for _, u := range []*state.Upstream{f.upstream(account), f.upstream(asleep)} {
		if !f.openBox().Current(u.Access) {
			t.Error("a token needs the former key")
		}
	}
	if err := f.refreshUpstream(f.grpc[1], asleep); err != nil {
		t.Errorf("who did nothing meanwhile: %v", err)
	}
	for _, key := range []string{former, next} {
		if strings.Contains(f.log.String(), key) {
			t.Error("a key is in the log")
		}
	}
	t.Logf("%d refreshes at Atlassian, on replicas with the same file and with different ones", refreshed)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSealKeyTakenOutTooEarly shows that nobody is signed out by the mistake, nor let in.
func TestSealKeyTakenOutTooEarly(t *testing.T) {
	f := deployFleet(t)
	f.change("token_seconds", "60")
	former, next := strings.TrimSpace(readFile(t, f.cfg.SealKeyFile)), sealKey(t)
	a := f.connect("Codex")
	account, tokens := a.account("ana@acme.test")
	before := f.upstream(account)
	f.restart(next)
	f.hasLogged("sealed under a key that isn't in the seal key file", 2)
	for _, address := range f.grpc {
		if got := status.Code(f.refreshUpstream(address, account)); got != codes.Unavailable {
			t.Errorf("refreshing: %v", got)
		}
	}
	if u := f.upstream(account); u.Rev != before.Rev || string(u.Refresh) != string(before.Refresh) {
		t.Error("the token was changed")
	}
	f.restart(next, former)
	if err := f.refreshUpstream(f.grpc[0], account); err != nil || !f.works(tokens.text("access_token")) {
		t.Errorf("with the key back: %v", err)
	}
}

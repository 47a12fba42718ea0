package state_test

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"sallyport/services/internal/redistest"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

const (
	// benchSealed is how many bytes a token of Atlassian's has that is sealed: about a thousand, and what sealing adds.
	benchSealed = 1040
	// benchGroups is in how many groups somebody is, and benchSignIns how many people sign in at once.
	benchGroups, benchSignIns = 10, 32
)

// sealedToken is as good as one, since what is sealed can't be made smaller.
var sealedToken = func() []byte {
	text := make([]byte, benchSealed)
	rand.Read(text)
	return text
}()

// BenchmarkSessions fills Redis with people who have signed in once each, 10,000 of them or
// SALLYPORT_BENCH_SESSIONS, and decides on calls of some of them. It says how much memory a session takes in all,
// and each of its keys; and how long Redis takes for the first call of a session that a replica hasn't seen, which
// is four questions, and for the next, which is one.
func BenchmarkSessions(b *testing.B) {
	many := 10_000
	if text := os.Getenv("SALLYPORT_BENCH_SESSIONS"); text != "" {
		var err error
		many, err = strconv.Atoi(text)
		if err != nil || many < 1 {
			b.Fatalf("SALLYPORT_BENCH_SESSIONS is %q: set it to a number from 1", text)
		}
	}
	for _, n := range slices.Compact([]int{min(1000, many), many}) {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchSessions(b, n) })
	}
}

func benchSessions(b *testing.B, n int) {
	b.Helper()
	address := redistest.Start(b)
	store, client := state.Open(address), redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1})
	b.Cleanup(func() { _ = store.Close(); _ = client.Close() })
	_, err := store.SavePolicy(b.Context(), 0, []byte(`{"default":"allow"}`), state.Save{})
	if err != nil {
		b.Fatal(err)
	}
	empty := usedMemory(b, client)
	began := time.Now()
	signing, ctx := errgroup.WithContext(b.Context())
	for worker := range benchSignIns {
		signing.Go(func() error {
			for i := worker; i < n; i += benchSignIns {
				err := signInOnce(ctx, store, client, i)
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = signing.Wait()
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d sign-ins took %s", n, time.Since(began).Round(time.Millisecond))
	each := float64(usedMemory(b, client)-empty) / float64(n)
	logKeys(b, client, n-1)
	var first, next []time.Duration
	for b.Loop() {
		i := mathrand.IntN(n)
		begun := time.Now()
		basis := firstCall(b, store, i)
		decided := time.Now()
		verdict, err := store.Decide(b.Context(), basis, 1<<40, entry("next"))
		if err != nil || !verdict.Written {
			b.Fatalf("%+v: %v", verdict, err)
		}
		first, next = append(first, decided.Sub(begun)), append(next, time.Since(decided))
	}
	b.ReportMetric(each, "B/session")
	for name, took := range map[string][]time.Duration{"first": first, "next": next} {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds()), name+"-p50-us")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), name+"-p99-us")
	}
}

// benchPerson is the account id of the person of a number.
func benchPerson(i int) string { return fmt.Sprintf("712020:4f0c7a52-8e1b-4d66-9a3c-%012d", i) }

// secretOf is a secret of the session of a number, such as its access token.
func secretOf(what string, i int) string { return state.TokenHash(fmt.Sprint(what, i)) }

// signInOnce leaves in Redis what a sign-in with a newly registered assistant does once the hour is over in which
// its code is remembered.
func signInOnce(ctx context.Context, store *state.Store, client *redis.Client, i int) error {
	person, id, code := benchPerson(i), secretOf("grant", i)[:22], secretOf("code", i)
	registration := state.Registration{
		ID: secretOf("client", i)[:22], Key: "claude-code", Name: "Claude Code", Class: "claimed", RegisteredName: "Claude Code",
		RedirectURIs: []string{"http://localhost:54545/callback"}, CreatedAt: time.Now(),
	}
	grant := state.Grant{
		ID: id, Rev: seal.Random(9), AccountID: person, Email: fmt.Sprintf("person.%d@acme.test", i), Name: "Ana Albarn", Resource: mcpResource,
		ClientID: registration.ID, ClientKey: registration.Key, ClientName: registration.Name, ClientClass: registration.Class,
		Site: "1324a887-45db-4bf4-8e99-ef0ff456d421", CreatedAt: time.Now(),
	}
	groups := state.Groups{Known: true, LearnedAt: time.Now()}
	for g := range benchGroups {
		groups.List = append(groups.List, state.Group{ID: fmt.Sprintf("276f955c-63d7-42c8-9520-%012d", g), Name: fmt.Sprint("developers-", g)})
	}
	for _, do := range []func() error{
		func() error { return store.SaveRegistration(ctx, registration) },
		func() error {
			return store.SaveUpstream(ctx, person, state.Upstream{Access: sealedToken, Refresh: sealedToken, ExpiresAt: time.Now().Add(time.Hour)})
		},
		func() error { return store.CreateGrant(ctx, grant, code, state.Code{GrantID: id}) },
		func() error { _, err := store.RedeemCode(ctx, code); return err },
		func() error { return client.Del(ctx, "{sallyport}:used-code:"+code).Err() },
		func() error {
			return store.Issue(ctx, grant, state.Pair{Access: secretOf("access", i), Family: secretOf("family", i), Refresh: secretOf("refresh", i)})
		},
		func() error { return store.UsedRegistration(ctx, registration.ID) },
		func() error { _, err := store.SaveGroups(ctx, person, groups); return err },
	} {
		err := do()
		if err != nil {
			return err
		}
	}
	return nil
}

// firstCall decides on a call of a session as a replica does that doesn't know it, and returns what it knows then.
func firstCall(b *testing.B, store *state.Store, i int) state.Basis {
	b.Helper()
	hash := secretOf("access", i)
	grant, err := store.SessionGrant(b.Context(), hash, mcpResource)
	if err != nil {
		b.Fatal(err)
	}
	basis := state.Basis{TokenHash: hash, Grant: grant, Resource: mcpResource}
	for range 2 {
		verdict, err := store.Decide(b.Context(), basis, 1<<40, entry("first"))
		if err != nil {
			b.Fatal(err)
		}
		if verdict.Written {
			return basis
		}
		basis = verdict.Fresh
		if verdict.Upstream != nil {
			basis.UpstreamRev = verdict.Upstream.Rev
		}
	}
	b.Fatal("never written")
	return basis
}

// usedMemory is how many bytes Redis has allocated.
func usedMemory(b *testing.B, client *redis.Client) int64 {
	b.Helper()
	info, err := client.Info(b.Context(), "memory").Result()
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(info, "used_memory:")
	text, _, _ := strings.Cut(rest, "\r\n")
	used, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return used
}

// logKeys says how much memory each key of a session takes.
func logKeys(b *testing.B, client *redis.Client, i int) {
	b.Helper()
	person := benchPerson(i)
	var said []string
	for _, key := range []string{
		"session:" + secretOf("access", i), "refresh:" + secretOf("family", i), "grant:" + secretOf("grant", i)[:22], "grants:" + person, "upstream:" + person,
		"groups:" + person, "registration:" + secretOf("client", i)[:22], fmt.Sprintf("email:person.%d@acme.test", i), "emails:" + person,
	} {
		used, err := client.MemoryUsage(b.Context(), "{sallyport}:"+key).Result()
		if err != nil {
			b.Fatalf("%s: %v", key, err)
		}
		name, _, _ := strings.Cut(key, ":")
		said = append(said, fmt.Sprintf("%s %d", name, used))
	}
	b.Logf("bytes of memory: %s", strings.Join(said, ", "))
}

package authz_test

import (
	"context"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/authz"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/nativetest"
	"sallyport/services/internal/process"
	"sallyport/services/internal/processtest"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/seal"
	"sallyport/services/internal/state"
)

const (
	account     = "712020:ana"
	accessToken = "ana's token for Sallyport"
	atlassian   = "ana's token for Atlassian"
)

// gate is a running authz with a Redis of its own, where a person is signed in.
type gate struct {
	t        *testing.T
	redis    string
	client   authv3.AuthorizationClient
	store    *state.Store
	box      *seal.Box
	identity *identity
	metrics  prometheus.Gatherer
	log      *processtest.Log
}

// identity stands where the identity service would answer; it renews what it is told to.
type identity struct {
	identityv1.UnimplementedUpstreamServiceServer
	renew func(ctx context.Context) error
}

func (i *identity) RefreshToken(ctx context.Context, _ *identityv1.RefreshTokenRequest) (*identityv1.RefreshTokenResponse, error) {
	return &identityv1.RefreshTokenResponse{}, i.renew(ctx)
}

func open(t *testing.T, redis string, tweak ...func(*authz.Config)) *gate {
	t.Helper()
	keyFile := processtest.SealKey(t)
	box, err := seal.NewBox(keyFile)
	must(t, err)
	g := &gate{t: t, redis: redis, box: box, store: state.Open(redis), identity: &identity{}, log: &processtest.Log{}}
	t.Cleanup(func() { _ = g.store.Close() })
	cfg := authz.Config{
		Listen: nativetest.FreeAddress(t), Redis: redis, Identity: g.serveIdentity(), SealKeyFile: keyFile,
		PublicURL: "https://sallyport.test", Contact: "it@acme.test", StreamLimit: 100,
		RedactKeys: []string{"password", "apiKey"},
	}
	for _, change := range tweak {
		change(&cfg)
	}
	started := make(chan struct{})
	processtest.Run(t, g.log, func(ctx context.Context, p *process.Process) error {
		defer close(started)
		g.metrics = p.Metrics
		return authz.Start(ctx, p, cfg)
	})
	<-started
	g.client = authv3.NewAuthorizationClient(processtest.Dial(t, cfg.Listen))
	return g
}

func (g *gate) serveIdentity() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(g.t, err)
	server := grpc.NewServer()
	identityv1.RegisterUpstreamServiceServer(server, g.identity)
	go func() { _ = server.Serve(listener) }()
	g.t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// signedIn is a gate where Ana, a developer, is signed in and the policy is this one.
func signedIn(t *testing.T, policy string, tweak ...func(*authz.Config)) *gate {
	t.Helper()
	g := open(t, redistest.Start(t), tweak...)
	ctx := t.Context()
	grant := state.Grant{ID: "grant", Rev: "1", AccountID: account, Email: "ana@acme.test", Name: "Ana", ClientKey: "claude", ClientName: "Claude", ClientClass: "claimed", Site: "acme"}
	g.saveToken(atlassian, time.Now().Add(time.Hour))
	must(t, g.store.CreateGrant(ctx, grant, "code", state.Code{}))
	must(t, g.store.Issue(ctx, grant, state.Pair{Access: state.TokenHash(accessToken), Family: "family", Refresh: "refresh"}))
	g.saveGroups("developers")
	if policy != "" {
		g.save(policy)
	}
	return g
}

func (g *gate) saveToken(token string, expiresAt time.Time) {
	sealed := g.box.Seal(token, state.AccessUse(account))
	must(g.t, g.store.SaveUpstream(g.t.Context(), account, state.Upstream{Access: sealed, ExpiresAt: expiresAt}))
}

func (g *gate) saveGroups(names ...string) {
	groups := state.Groups{Known: true, LearnedAt: time.Now()}
	for _, name := range names {
		groups.List = append(groups.List, state.Group{ID: "id of " + name, Name: name})
	}
	_, err := g.store.SaveGroups(g.t.Context(), account, groups)
	must(g.t, err)
}

func (g *gate) save(policy string) {
	g.t.Helper()
	inForce, err := g.store.Policy(g.t.Context())
	must(g.t, err)
	_, err = g.store.SavePolicy(g.t.Context(), inForce.Version, []byte(policy), state.Save{})
	must(g.t, err)
}

// ask sends what Envoy would for a request; headers are pairs of name and value.
func (g *gate) ask(method, body string, headers ...string) *authv3.CheckResponse {
	g.t.Helper()
	fields := &corev3.HeaderMap{}
	for i := 0; i < len(headers); i += 2 {
		fields.Headers = append(fields.Headers, &corev3.HeaderValue{Key: headers[i], RawValue: []byte(headers[i+1])})
	}
	response, err := g.client.Check(g.t.Context(), &authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{
		Http: &authv3.AttributeContext_HttpRequest{Id: "request", Method: method, RawBody: []byte(body), HeaderMap: fields},
	}}})
	must(g.t, err)
	return response
}

// call is a tool call by Ana's assistant.
func (g *gate) call(tool string) *authv3.CheckResponse {
	g.t.Helper()
	return g.post(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"` + tool + `","arguments":{"issueIdOrKey":"OPS-1"}}}`)
}

func (g *gate) post(body string) *authv3.CheckResponse {
	g.t.Helper()
	return g.ask("POST", body, "authorization", "Bearer "+accessToken, "content-type", "application/json")
}

// records are the decisions that were written down, oldest first.
func (g *gate) records() []activity.Record {
	g.t.Helper()
	waiting, err := g.store.ReadWaiting(g.t.Context(), "test", 1000, time.Millisecond, false)
	must(g.t, err)
	var records []activity.Record
	for _, w := range waiting {
		r, err := activity.Parse(w.Document)
		must(g.t, err)
		records = append(records, r)
	}
	return records
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantAllowed checks that a request goes on with the person's own token, and with nothing else.
func wantAllowed(t *testing.T, r *authv3.CheckResponse, token string) {
	t.Helper()
	headers := r.GetOkResponse().GetHeaders()
	if r.GetStatus().GetCode() != int32(codes.OK) || len(headers) != 1 || headers[0].GetHeader().GetKey() != "authorization" {
		t.Fatalf("got %v, want it to go on with another token", r)
	}
	if got := headers[0].GetHeader().GetValue(); got != "Bearer "+token {
		t.Errorf("it went on with %q", got)
	}
}

// wantAnswer checks that Sallyport answers itself, with these words.
func wantAnswer(t *testing.T, r *authv3.CheckResponse, httpStatus int, words ...string) {
	t.Helper()
	denied := r.GetDeniedResponse()
	if r.GetStatus().GetCode() == int32(codes.OK) || int(denied.GetStatus().GetCode()) != httpStatus {
		t.Fatalf("got %v, want an answer with HTTP status %d", r, httpStatus)
	}
	if !json.Valid([]byte(denied.GetBody())) {
		t.Errorf("the answer isn't JSON: %s", denied.GetBody())
	}
	for _, word := range words {
		if !strings.Contains(denied.GetBody(), word) {
			t.Errorf("the answer doesn't say %s: %s", word, denied.GetBody())
		}
	}
}

func challenge(r *authv3.CheckResponse) string {
	for _, h := range r.GetDeniedResponse().GetHeaders() {
		if h.GetHeader().GetKey() == "www-authenticate" {
			return h.GetHeader().GetValue()
		}
	}
	return ""
}

func TestWhoIsNotSignedIn(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	const metadata = `resource_metadata="https://sallyport.test/.well-known/oauth-protected-resource/mcp"`
	for name, headers := range map[string][]string{
		"no token":                  {},
		"another scheme":            {"authorization", "Basic " + accessToken},
		"two authorization headers": {"authorization", "Bearer " + accessToken, "Authorization", "Bearer x"},
	} {
		r := g.ask("POST", ping, append(headers, "content-type", "application/json")...)
		wantAnswer(t, r, 401, "Sign in")
		if got := challenge(r); got != "Bearer "+metadata {
			t.Errorf("%s is challenged with %s", name, got)
		}
	}
	r := g.ask("POST", ping, "authorization", "Bearer unknown", "content-type", "application/json")
	wantAnswer(t, r, 401)
	if got := challenge(r); got != `Bearer error="invalid_token", `+metadata {
		t.Errorf("an unknown token is challenged with %s", got)
	}
	if records := g.records(); len(records) != 0 {
		t.Errorf("requests without a person have %d records", len(records))
	}
}

func TestDecisionIsWrittenBeforeItIsAnswered(t *testing.T) {
	g := signedIn(t, `{"default":"allow","rules":[{"id":"r1","client":"*","who":"any","operation":"delete*","effect":"deny","note":"nothing is deleted"}]}`)
	wantAllowed(t, g.call("getJiraIssue"), atlassian)
	wantAnswer(t, g.call("deleteJiraIssue"), 200, `"isError":true`, `"id":7`, "deleteJiraIssue", "Rule 1", "nothing is deleted", "it@acme.test")

	records := g.records()
	if len(records) != 2 {
		t.Fatalf("%d records, want one for each call", len(records))
	}
	allowed, blocked := records[0], records[1]
	if allowed.Sallyport.Decision != activity.Allowed || allowed.Sallyport.Operation.Name != "getJiraIssue" || allowed.Sallyport.Rule != nil {
		t.Errorf("the allowed call is recorded as %+v", allowed.Sallyport)
	}
	if blocked.Sallyport.Decision != activity.Blocked || blocked.Sallyport.Rule == nil || blocked.Sallyport.Rule.ID != "r1" || blocked.Sallyport.PolicyVersion != 1 {
		t.Errorf("the blocked call is recorded as %+v", blocked.Sallyport)
	}
	if u := blocked.User; u.Email != "ana@acme.test" || len(u.Group.Name) != 1 || u.Group.Name[0] != "developers" || blocked.Sallyport.Client.Key != "claude" {
		t.Errorf("recorded of %+v with %+v", u, blocked.Sallyport.Client)
	}
	if got := string(blocked.Sallyport.Arguments); got != `{"issueIdOrKey":"OPS-1"}` {
		t.Errorf("recorded arguments %s", got)
	}
}

func TestVeryNextCall(t *testing.T) {
	g := signedIn(t, `{"default":"deny","rules":[{"client":"*","who":"group:developers","operation":"*","effect":"allow"}]}`)
	wantAllowed(t, g.call("getJiraIssue"), atlassian)

	g.saveGroups("contractors")
	wantAnswer(t, g.call("getJiraIssue"), 200, "getJiraIssue")
	g.saveGroups("developers")
	wantAllowed(t, g.call("getJiraIssue"), atlassian)

	g.save(`{"default":"deny"}`)
	wantAnswer(t, g.call("getJiraIssue"), 200, "getJiraIssue")
	g.save(`{"default":"allow"}`)
	wantAllowed(t, g.call("getJiraIssue"), atlassian)

	g.saveToken("a new token", time.Now().Add(time.Hour))
	wantAllowed(t, g.call("getJiraIssue"), "a new token")

	_, err := g.store.EndPerson(t.Context(), account)
	must(t, err)
	wantAnswer(t, g.call("getJiraIssue"), 401)
}

// TestALostPolicyIsNoOther has Redis lose a policy that was decided by, and another one be saved, which gets the same
// version.
func TestALostPolicyIsNoOther(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	wantAllowed(t, g.call("getJiraIssue"), atlassian)
	client := redis.NewClient(&redis.Options{Addr: g.redis})
	defer client.Close()
	must(t, client.Del(t.Context(), "{sallyport}:policy").Err())
	g.save(`{"default":"deny"}`)
	wantAnswer(t, g.call("getJiraIssue"), 200, "getJiraIssue")
}

// TestCallsWithoutAnOperation shows that no policy allows a call that doesn't say what it does.
func TestCallsWithoutAnOperation(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	for _, params := range []string{
		`{}`, `{"name":7}`, `{"name":"execute"}`, `{"name":"executeRead","arguments":{"name":["getJiraIssue"]}}`,
		`{"name":"execute","arguments":{"name":"executeRead","inputs":{"name":"deleteJiraIssue"}}}`,
	} {
		wantAnswer(t, g.post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":`+params+`}`), 200, `"isError":true`, "which operation")
	}
	for _, r := range g.records() {
		if r.Sallyport.Decision != activity.Blocked || r.Sallyport.Refusal != "no_operation_name" {
			t.Errorf("recorded as %+v", r.Sallyport)
		}
	}
}

func TestNothingIsAllowedWithoutAPolicy(t *testing.T) {
	g := signedIn(t, "")
	wantAnswer(t, g.call("getJiraIssue"), 200, `"isError":true`, "no policy yet")
	wantAllowed(t, g.post(`{"jsonrpc":"2.0","id":1,"method":"ping"}`), atlassian)
}

func TestNothingIsAllowedThatCannotBeWrittenDown(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`, func(cfg *authz.Config) { cfg.StreamLimit = 2 })
	wantAllowed(t, g.call("getJiraIssue"), atlassian)
	wantAllowed(t, g.call("getJiraIssue"), atlassian)
	wantAnswer(t, g.call("getJiraIssue"), 503, "record is full", "it@acme.test")

	away := open(t, "127.0.0.1:1")
	wantAnswer(t, away.call("getJiraIssue"), 503, "can't write its decision down", `"id":7`)
}

func TestUnreadableRequests(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	json := []string{"authorization", "Bearer " + accessToken, "content-type", "application/json"}
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	for _, test := range []struct {
		name, method, body string
		headers            []string
		refusal, code      string
	}{
		{"not JSON", "POST", `{"jsonrpc"`, json, "parse_error", "-32700"},
		{"the same member twice", "POST", `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}`, json, "duplicate_member", "-32700"},
		{"a name in another case", "POST", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","NAME":"b"}}`, json, "ambiguous_member", "-32600"},
		{"another version", "POST", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, json, "not_jsonrpc", "-32600"},
		{"compressed", "POST", ping, append([]string{"content-encoding", "gzip"}, json...), "content_encoding", "-32700"},
		{"two content types", "POST", ping, append([]string{"content-type", "text/plain"}, json...), "content_type", "-32700"},
		{"UTF-16", "POST", ping, []string{json[0], json[1], "content-type", "application/json; charset=utf-16"}, "content_type", "-32700"},
		{"a body where none is", "DELETE", ping, json, "unexpected_body", "-32700"},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantAnswer(t, g.ask(test.method, test.body, test.headers...), 400, "sent nothing to Atlassian", `"code":`+test.code)
			records := g.records()
			if len(records) != 1 || records[0].Sallyport.Decision != activity.Blocked || records[0].Sallyport.Refusal != test.refusal {
				t.Fatalf("it is recorded as %+v, want a block for %s", records, test.refusal)
			}
			if got := records[0].HTTP.Request.Body.Content; got != test.body {
				t.Errorf("the body is kept as %q", got)
			}
		})
	}
}

func TestBatchIsBlockedAsAWhole(t *testing.T) {
	g := signedIn(t, `{"default":"allow","rules":[{"client":"*","who":"any","operation":"delete*","effect":"deny"}]}`)
	r := g.post(`[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getJiraIssue"}},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"deleteJiraIssue"}}]`)
	wantAnswer(t, r, 200, `"id":1`, "another one of the same batch", `"id":2`, "deleteJiraIssue")
	records := g.records()
	if len(records) != 2 || records[0].Sallyport.Refusal != "batch" || records[1].Sallyport.Rule == nil {
		t.Errorf("recorded as %+v", records)
	}

	// Notifications have no answer of their own: the reason is that of the one that is blocked.
	r = g.post(`[{"jsonrpc":"2.0","method":"notifications/cancelled"},{"jsonrpc":"2.0","method":"tools/call","params":{"name":"deleteJiraIssue"}}]`)
	wantAnswer(t, r, 403, "deleteJiraIssue")
}

func TestTokenThatEndsSoonIsRenewed(t *testing.T) {
	g := signedIn(t, `{"default":"allow"}`)
	g.saveToken("an old token", time.Now().Add(30*time.Second))

	g.identity.renew = func(context.Context) error {
		g.saveToken("a renewed token", time.Now().Add(time.Hour))
		return nil
	}
	wantAllowed(t, g.call("getJiraIssue"), "a renewed token")

	g.saveToken("an old token", time.Now().Add(30*time.Second))
	g.identity.renew = func(context.Context) error { return status.Error(codes.Unavailable, "Atlassian is slow") }
	wantAllowed(t, g.call("getJiraIssue"), "an old token")

	g.saveToken("a dead token", time.Now().Add(-time.Second))
	wantAnswer(t, g.call("getJiraIssue"), 503, "could not renew your sign-in")

	g.identity.renew = func(context.Context) error {
		return status.Error(codes.FailedPrecondition, "the refresh token was revoked")
	}
	r := g.call("getJiraIssue")
	wantAnswer(t, r, 401)
	if !strings.Contains(challenge(r), "invalid_token") {
		t.Errorf("challenged with %q", challenge(r))
	}
}

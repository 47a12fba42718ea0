package admin_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/activity"
	"sallyport/services/internal/elastictest"
	"sallyport/services/internal/redistest"
	"sallyport/services/internal/state"
)

// drain takes all entries out of the activity stream.
func drain(t *testing.T, store *state.Store) []state.Waiting {
	t.Helper()
	entries, err := store.ReadWaiting(t.Context(), "test", 1000, time.Millisecond, false)
	if err == nil && len(entries) > 0 {
		err = store.Indexed(t.Context(), entries)
	}
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// merged are the records of entries, both halves in one, in order.
func merged(t *testing.T, entries []state.Waiting) []activity.Record {
	t.Helper()
	var order []string
	documents := map[string]map[string]any{}
	for _, e := range entries {
		if documents[e.ID] == nil {
			order = append(order, e.ID)
			documents[e.ID] = map[string]any{}
		}
		var half map[string]any
		err := json.Unmarshal(e.Document, &half)
		if err != nil {
			t.Fatal(err)
		}
		merge(documents[e.ID], half)
	}
	var records []activity.Record
	for _, id := range order {
		text, err := json.Marshal(documents[id])
		if err != nil {
			t.Fatal(err)
		}
		r, err := activity.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

// merge adds one half of a record to the other as Elasticsearch does.
func merge(into, from map[string]any) {
	for name, value := range from {
		inner, isObject := value.(map[string]any)
		outer, wasObject := into[name].(map[string]any)
		if isObject && wasObject {
			merge(outer, inner)
			continue
		}
		into[name] = value
	}
}

// actions are the acts that wait to be indexed. Each has to have an outcome.
func actions(t *testing.T, store *state.Store) []string {
	t.Helper()
	var list []string
	for _, r := range merged(t, drain(t, store)) {
		if r.Event.Outcome == "" {
			t.Errorf("%s has no outcome", r.Event.Action)
		}
		list = append(list, r.Event.Action)
	}
	return list
}

// TestActsAreRecords does things, and reads what was recorded of them through the API.
func TestActsAreRecords(t *testing.T) {
	cfg := admin.Config{Redis: redistest.Start(t), Elasticsearch: elastictest.Empty(t)}
	conn := start(t, cfg)
	store := state.Open(cfg.Redis)
	defer store.Close()
	policies, access := adminv1.NewPolicyServiceClient(conn), adminv1.NewAccessServiceClient(conn)
	seeded(asAdmin(t), t, policies)
	robot := metadata.AppendToOutgoingContext(with(t, robotToken), "x-forwarded-for", "203.0.113.9, 192.0.2.7")
	for _, do := range []func() error{
		func() error {
			_, err := policies.SavePolicy(robot, &adminv1.SavePolicyRequest{Policy: denying("a"), BaseVersion: 1, Message: "The giraffe asked"})
			return err
		},
		func() error {
			_, err := policies.SavePolicy(robot, &adminv1.SavePolicyRequest{Policy: denying("b"), BaseVersion: 1})
			return refusedAs(err, codes.Aborted)
		},
		func() error {
			_, err := access.CreateToken(robot, &adminv1.CreateTokenRequest{Name: "siem", Role: adminv1.Role_ROLE_AUDITOR})
			return err
		},
		func() error {
			_, err := access.RevokeToken(with(t, viewerToken), &adminv1.RevokeTokenRequest{Name: "siem"})
			return refusedAs(err, codes.PermissionDenied)
		},
		func() error {
			_, err := adminv1.NewConnectionServiceClient(conn).ForgetPerson(robot, &adminv1.ForgetPersonRequest{User: "nobody@acme.test"})
			return refusedAs(err, codes.NotFound)
		},
	} {
		err := do()
		if err != nil {
			t.Fatal(err)
		}
	}
	index(t, cfg.Elasticsearch, append(merged(t, drain(t, store)), call("search", time.Now(), "searchJiraIssuesUsingJql"))...)
	client := adminv1.NewActivityServiceClient(conn)
	search := func(request *adminv1.SearchActivityRequest) []*activityv1.Record {
		t.Helper()
		page, err := client.SearchActivity(with(t, viewerToken), request)
		if err != nil {
			t.Fatal(err)
		}
		return page.GetRecords()
	}
	var lines []string
	for _, r := range search(&adminv1.SearchActivityRequest{Administrative: true}) {
		a := r.GetAct()
		lines = append(lines, strings.Join([]string{
			a.GetAction(), r.GetUser().GetName(), a.GetCaller(), a.GetRole(), strings.Join(a.GetTargets(), ","), a.GetReason(),
			a.GetDetails()["base_version"], a.GetDetails()["version"], a.GetDetails()["role"], a.GetOutcome(), a.GetErrorCode(),
		}, "|"))
		if (a.GetErrorMessage() == "") != (a.GetOutcome() == "success") || r.GetOutcome() != nil || r.GetDecision() != nil {
			t.Errorf("the record is %v", r)
		}
		if address := r.GetSourceIp(); address != "192.0.2.7" && a.GetRole() == "admin" || !strings.HasPrefix(r.GetUserAgent(), "grpc-go/") {
			t.Errorf("%s came from %q, %q", a.GetAction(), address, r.GetUserAgent())
		}
	}
	want := []string{
		"person.forget|ci-robot|token_file|admin|nobody@acme.test|||||failure|NotFound",
		"token.revoke|reader|token_file|viewer|siem|||||failure|PermissionDenied",
		"token.create|ci-robot|token_file|admin|siem||||auditor|success|",
		"policy.save|ci-robot|token_file|admin|||1|||failure|Aborted",
		"policy.save|ci-robot|token_file|admin||The giraffe asked|1|2||success|",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	for name, test := range map[string]struct {
		request *adminv1.SearchActivityRequest
		want    int
	}{
		"what assistants did":  {&adminv1.SearchActivityRequest{}, 1},
		"by act":               {&adminv1.SearchActivityRequest{Administrative: true, Operation: "token.*"}, 2},
		"by caller":            {&adminv1.SearchActivityRequest{Administrative: true, User: "reader"}, 1},
		"by reason":            {&adminv1.SearchActivityRequest{Administrative: true, Query: "giraffe"}, 1},
		"by target":            {&adminv1.SearchActivityRequest{Administrative: true, Query: "siem token"}, 2},
		"reasons aren't calls": {&adminv1.SearchActivityRequest{Query: "giraffe"}, 0},
	} {
		if got := search(test.request); len(got) != test.want {
			t.Errorf("%s: %d records, want %d: %v", name, len(got), test.want, got)
		}
	}
	leftOut(t, conn)
}

// refusedAs is an error unless err has a code.
func refusedAs(err error, code codes.Code) error {
	if status.Code(err) == code {
		return nil
	}
	return errors.Join(errors.New("want "+code.String()), err)
}

// leftOut makes sure that acts aren't mistaken for what assistants did: where there is one call and some
// acts, a simulation and the list of operations know of one call.
func leftOut(t *testing.T, conn *grpc.ClientConn) {
	t.Helper()
	stream, err := adminv1.NewTrialServiceClient(conn).SimulatePolicy(asAdmin(t), &adminv1.SimulatePolicyRequest{Since: timestamppb.New(time.Now().Add(-time.Hour))})
	if err != nil {
		t.Fatal(err)
	}
	for {
		answer, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if result := answer.GetResult(); result != nil {
			if result.GetCalls() != 1 || result.GetNotDecided() != 0 {
				t.Errorf("a simulation has %d calls, and %d not decided, want 1 and 0", result.GetCalls(), result.GetNotDecided())
			}
			break
		}
	}
	list, err := adminv1.NewOperationServiceClient(conn).ListOperations(asAdmin(t), &adminv1.ListOperationsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list.GetOperations() {
		if o.GetCalls() > 0 && o.GetName() != "searchJiraIssuesUsingJql" {
			t.Errorf("%s is listed with %d calls", o.GetName(), o.GetCalls())
		}
	}
}

// TestNothingIsDoneThatIsNotWrittenDown fills the activity stream, and takes Redis away.
func TestNothingIsDoneThatIsNotWrittenDown(t *testing.T) {
	t.Parallel()
	cfg := redisOnly(t)
	cfg.StreamLimit = 1
	conn := start(t, cfg)
	policies, access := adminv1.NewPolicyServiceClient(conn), adminv1.NewAccessServiceClient(conn)
	seeded(asAdmin(t), t, policies)
	store := state.Open(cfg.Redis)
	defer store.Close()
	err := store.AppendOutcomes(t.Context(), []state.Entry{{ID: "a call", Index: "sallyport-activity-2026.11.23", Document: []byte(`{}`)}})
	if err != nil {
		t.Fatal(err)
	}
	save := &adminv1.SavePolicyRequest{Policy: denying("a"), BaseVersion: 1}
	_, err = policies.SavePolicy(asAdmin(t), save)
	if status.Code(err) != codes.Unavailable || !strings.HasPrefix(status.Convert(err).Message(), "This was not done, since it can't be written down: too many records wait") {
		t.Errorf("with a full stream: %v", err)
	}
	_, err = access.CreateToken(asAdmin(t), &adminv1.CreateTokenRequest{Name: "ci", Role: adminv1.Role_ROLE_VIEWER})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("with a full stream: %v", err)
	}
	inForce, err := policies.GetPolicy(with(t, viewerToken), &adminv1.GetPolicyRequest{})
	if err != nil || inForce.GetVersion() != 1 {
		t.Errorf("version %d is in force, want 1: %v", inForce.GetVersion(), err)
	}
	tokens, err := access.ListTokens(with(t, viewerToken), &adminv1.ListTokensRequest{})
	if err != nil || len(tokens.GetTokens()) > 0 {
		t.Errorf("there are tokens: %v, %v", tokens, err)
	}
	drain(t, store)
	_, err = policies.SavePolicy(asAdmin(t), save)
	if err != nil {
		t.Errorf("when the stream has room again: %v", err)
	}
	_, err = adminv1.NewPolicyServiceClient(start(t, admin.Config{})).SavePolicy(asAdmin(t), save)
	if status.Code(err) != codes.Unavailable || !strings.HasPrefix(status.Convert(err).Message(), "This was not done, since it can't be written down: Redis doesn't answer") {
		t.Errorf("without Redis: %v", err)
	}
}

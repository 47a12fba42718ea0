package admin_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/state"
)

func TestOperationsWithoutElasticsearch(t *testing.T) {
	cfg := redisOnly(t)
	conn := start(t, cfg)
	seeded(asAdmin(t), t, adminv1.NewPolicyServiceClient(conn))
	store := state.Open(cfg.Redis)
	defer store.Close()
	_, err := store.SaveTools(t.Context(), []state.Tool{{Name: "getJiraIssue"}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	got, err := adminv1.NewOperationServiceClient(conn).ListOperations(asAdmin(t), &adminv1.ListOperationsRequest{Pattern: "getJiraIssue"})
	if err != nil || len(got.GetOperations()) != 1 || len(got.GetUnknown()) != 1 ||
		!strings.HasPrefix(got.GetUnknown()[0], "What was called in the last 30 days isn't known. Elasticsearch can't be searched right now; nothing is lost") {
		t.Errorf("got %v, %v", got, err)
	}
	lint, err := adminv1.NewTrialServiceClient(conn).LintPolicy(asAdmin(t), &adminv1.LintPolicyRequest{})
	if err != nil || len(lint.GetUnchecked()) != 2 {
		t.Errorf("lint: %v, %v", lint, err)
	}
}

func TestOperationsWithoutRedis(t *testing.T) {
	t.Parallel()
	_, err := adminv1.NewOperationServiceClient(start(t, admin.Config{})).ListOperations(asAdmin(t), &adminv1.ListOperationsRequest{})
	if status.Code(err) != codes.Unavailable || !strings.HasPrefix(status.Convert(err).Message(), "Redis doesn't answer, so the tools of the site can't be read. Start it again") {
		t.Errorf("got %v", err)
	}
}

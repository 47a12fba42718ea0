package identity_test

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/internal/processtest"
)

// TestCheckUpstream asks Atlassian, and then one that has become strange since: what was learned before doesn't count.
func TestCheckUpstream(t *testing.T) {
	d := deploy(t)
	upstream := identityv1.NewUpstreamServiceClient(processtest.Dial(t, d.grpc))
	answer, err := upstream.CheckUpstream(t.Context(), &identityv1.CheckUpstreamRequest{})
	if err != nil || !strings.HasSuffix(answer.GetMcpUrl(), "/v2/mcp") {
		t.Errorf("asked %v, %v", answer, err)
	}
	d.change("issuer_without_path", "true")
	_, err = upstream.CheckUpstream(t.Context(), &identityv1.CheckUpstreamRequest{})
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "names the issuer") {
		t.Errorf("with metadata that names another issuer: %v", err)
	}
}

// TestCheckDirectoryNow has Jira refuse the credential a moment after it took it.
func TestCheckDirectoryNow(t *testing.T) {
	d := deploy(t)
	directory := d.directory(d.grpc)
	_, err := directory.CheckDirectory(t.Context(), &identityv1.CheckDirectoryRequest{})
	if err != nil {
		t.Fatal(err)
	}
	d.change("lose_groups", "401")
	_, err = directory.CheckDirectory(t.Context(), &identityv1.CheckDirectoryRequest{})
	if err != nil {
		t.Errorf("within a minute: %v", err)
	}
	_, err = directory.CheckDirectory(t.Context(), &identityv1.CheckDirectoryRequest{Now: true})
	if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "doesn't take the service credential") {
		t.Errorf("asked now: %v", err)
	}
}

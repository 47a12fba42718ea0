package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// dialAdmin returns a connection to the admin API, through Envoy, and a context that presents the
// admin token.
func dialAdmin(t *testing.T) (context.Context, *grpc.ClientConn) {
	t.Helper()
	token, err := os.ReadFile(sallyport.AdminTokenFile)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(sallyport.AdminGRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+strings.TrimSpace(string(token))), conn
}

// switchAtlassian sends something to the stand-in's switches.
func switchAtlassian(method, path, body string) error {
	request, err := http.NewRequest(method, sallyport.AtlassianSwitchesURL+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		text, _ := io.ReadAll(response.Body)
		return fmt.Errorf("the stand-in's switch %s answered %d: %s", path, response.StatusCode, text)
	}
	return nil
}

// setGroups gives a person other groups at Atlassian, and has Sallyport learn them.
func setGroups(ctx context.Context, conn *grpc.ClientConn, email string, groups ...string) error {
	names := `["` + strings.Join(groups, `","`) + `"]`
	if len(groups) == 0 {
		names = `[]`
	}
	err := switchAtlassian(http.MethodPut, "/people/"+email+"/groups", names)
	if err != nil {
		return err
	}
	return refreshGroups(ctx, conn, email, 0)
}

// refreshGroups has Sallyport learn a person's groups anew; unknown is how many can't be learned.
func refreshGroups(ctx context.Context, conn *grpc.ClientConn, email string, unknown int32) error {
	answer, err := adminv1.NewDirectoryServiceClient(conn).RefreshGroups(ctx, &adminv1.RefreshGroupsRequest{User: email})
	if err == nil && answer.GetUnknown() != unknown {
		err = fmt.Errorf("the groups of %s: %v", email, answer)
	}
	return err
}

// groupsBack gives everybody their own groups back when the test has ended.
func groupsBack(ctx context.Context, t *testing.T, conn *grpc.ClientConn, people ...string) {
	t.Helper()
	ctx = context.WithoutCancel(ctx)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		err := switchAtlassian(http.MethodPost, "/reset", "")
		for _, email := range people {
			if err == nil {
				err = refreshGroups(ctx, conn, email, 0)
			}
		}
		if err != nil {
			t.Errorf("putting the groups back: %v", err)
		}
	})
}

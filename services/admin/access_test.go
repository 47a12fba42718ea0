package admin_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/state"
)

// accessLine is a line of testdata/access.txt.
type accessLine struct{ role, act string }

func readAccess(t *testing.T) map[string]accessLine {
	t.Helper()
	file, err := os.Open("testdata/access.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := map[string]accessLine{}
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		words := strings.Fields(scanner.Text())
		if len(words) == 3 {
			lines["sallyport.admin.v1."+words[0]] = accessLine{words[1], words[2]}
		}
	}
	return lines
}

// roles from the least on, and tokens of the token file that have them.
var roleTokens = []struct{ role, name, token string }{{"viewer", "reader", viewerToken}, {"auditor", "reviewer", auditorToken}, {"admin", "admin", token}}

// TestEachRoleAgainstEachMethod calls every method as every role, and looks at what was recorded.
func TestEachRoleAgainstEachMethod(t *testing.T) {
	t.Parallel()
	cfg := redisOnly(t)
	conn := start(t, cfg)
	seeded(asAdmin(t), t, adminv1.NewPolicyServiceClient(conn))
	store := state.Open(cfg.Redis)
	defer store.Close()
	want := readAccess(t)
	for service, names := range methods() {
		for _, name := range names {
			method := service + "/" + name
			line, ok := want[method]
			if !ok {
				t.Errorf("%s has no line in testdata/access.txt: say there who may call it", method)
				continue
			}
			delete(want, method)
			enough := line.role == "anybody"
			for _, as := range roleTokens {
				enough = enough || as.role == line.role
				err := invoke(with(t, as.token), conn, "/"+method)
				refused := status.Code(err) == codes.PermissionDenied
				if refused == enough || status.Code(err) == codes.Unauthenticated {
					t.Errorf("%s as %s: %v", method, as.role, err)
				}
				if says := name + " needs the role " + line.role + ", and " + as.name + " (a token of the token file) has the role " + as.role + ". Ask"; refused && !strings.HasPrefix(status.Convert(err).Message(), says) {
					t.Errorf("%s as %s says %q, want %q", method, as.role, status.Convert(err).Message(), says)
				}
				wantActs := []string{line.act}
				if line.act == "-" {
					wantActs = nil
				}
				if got := actions(t, store); strings.Join(got, " ") != strings.Join(wantActs, " ") {
					t.Errorf("%s as %s is recorded as %q, want %q", method, as.role, got, wantActs)
				}
			}
		}
	}
	for method := range want {
		t.Errorf("testdata/access.txt has a line for %s, which there isn't", method)
	}
}

// TestOptionsNameFields makes sure that what the proto says is recorded exists.
func TestOptionsNameFields(t *testing.T) {
	protoregistry.GlobalFiles.RangeFilesByPackage("sallyport.admin.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			for j := range file.Services().Get(i).Methods().Len() {
				method := file.Services().Get(i).Methods().Get(j)
				access, _ := proto.GetExtension(method.Options(), adminv1.E_Access).(*adminv1.Access)
				has := func(m protoreflect.MessageDescriptor, name string) bool {
					return name == "" || m.Fields().ByName(protoreflect.Name(name)) != nil
				}
				in, out := method.Input(), method.Output()
				for _, name := range access.GetAct().GetDetails() {
					if !has(in, name) && !has(out, name) {
						t.Errorf("%s records %s, which neither its request nor its answer has", method.FullName(), name)
					}
				}
				for _, name := range []string{access.GetAct().GetTarget(), access.GetAct().GetReason(), access.GetDryRun()} {
					if !has(in, name) {
						t.Errorf("%s says something of %s, which its request doesn't have", method.FullName(), name)
					}
				}
			}
		}
		return true
	})
}

// TestADryRunIsAViewers lets CI check a policy without being able to put it in force.
func TestADryRunIsAViewers(t *testing.T) {
	cfg := redisOnly(t)
	client := adminv1.NewPolicyServiceClient(start(t, cfg))
	seeded(asAdmin(t), t, client)
	request := &adminv1.SavePolicyRequest{Policy: denying("a"), BaseVersion: 1, ValidateOnly: true}
	answer, err := client.SavePolicy(with(t, viewerToken), request)
	if err != nil || answer.GetVersion() != 1 || len(answer.GetChanges()) == 0 {
		t.Errorf("a dry run answers %v, %v", answer, err)
	}
	request.ValidateOnly = false
	_, err = client.SavePolicy(with(t, viewerToken), request)
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("saving answers %v, want PermissionDenied", err)
	}
	store := state.Open(cfg.Redis)
	defer store.Close()
	if got := actions(t, store); len(got) != 1 {
		t.Errorf("recorded are %q, want the attempt to save", got)
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

func TestReadWho(t *testing.T) {
	for given, want := range map[string]string{
		"ana@acme.test": "user:ana@acme.test", " user:712020:ana": "user:712020:ana", "group: Support Team ": "group:Support Team", "user:ana@acme.test": "user:ana@acme.test",
		"ana": "", "": "", "group:": "", "user: ": "", "any": "", "role:admin": "", "712020:ana": "",
	} {
		got, err := readWho(given)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", given, got, err, want)
		}
	}
}

func TestReadRoles(t *testing.T) {
	for content, says := range map[string]string{
		`{"version":3,"saved_by":"admin","bindings":[{"role":"admin","who":"group:g1","name":"site-admins"}]}`: "",
		`{"bindings":[{"role":"owner","who":"group:g1"}]}`:                                                     `has the role "owner"`,
		`{"bindings":[{"role":"admin","group":"g1"}]}`:                                                         "has no roles as",
		`{"bindings":[]} {}`: "something follows",
		"admin group:g1":     "has no roles as",
	} {
		file := filepath.Join(t.TempDir(), "roles.json")
		err := os.WriteFile(file, []byte(content), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readRoles(file)
		switch {
		case says == "" && (err != nil || got.Version != 3 || len(got.Bindings) != 1):
			t.Errorf("%s: %v, %v", content, got, err)
		case says != "" && (err == nil || !strings.Contains(err.Error(), says) || exitCode(err) != exitNo):
			t.Errorf("%s: %v, want one that says %q", content, err, says)
		}
	}
}

func TestRemoveRoles(t *testing.T) {
	bindings := []*adminv1.RoleBinding{
		{Role: adminv1.Role_ROLE_ADMIN, Who: "group:g1", Name: "site-admins"},
		{Role: adminv1.Role_ROLE_VIEWER, Who: "group:g1", Name: "site-admins"},
		{Role: adminv1.Role_ROLE_AUDITOR, Who: "user:ana@acme.test"},
	}
	for _, test := range []struct {
		who  []string
		role string
		left string
	}{
		{[]string{"user:Ana@acme.test"}, "", "admin group:g1, viewer group:g1"},
		{[]string{"group:Site-Admins"}, "", "auditor user:ana@acme.test"},
		{[]string{"group:g1"}, "viewer", "admin group:g1, auditor user:ana@acme.test"},
		{[]string{"group:g1", "user:ana@acme.test"}, "", ""},
		{[]string{"user:bo@acme.test"}, "", "user:bo@acme.test has no such role"},
		{[]string{"user:ana@acme.test"}, "viewer", "user:ana@acme.test has no such role"},
		{[]string{"group:"}, "", "group: has no such role"},
	} {
		left, err := (&rolesRemove{Role: test.role, who: test.who}).without(bindings)
		var texts []string
		for _, b := range bindingTexts(left) {
			texts = append(texts, b.Role+" "+b.Who)
		}
		got := strings.Join(texts, ", ")
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, test.left) || test.left == "" && got != "" {
			t.Errorf("%v as %q: %q, want %q", test.who, test.role, got, test.left)
		}
	}
}

func TestActsAsATable(t *testing.T) {
	var out strings.Builder
	showActs(&terminal{out: &out}, []*activityv1.Record{
		{
			Time: timestamppb.New(noon), User: &activityv1.User{Name: "ci"},
			Act: &activityv1.Act{Action: "policy.save", Caller: "api_token", Role: "admin", Reason: "Contractors\x1b[2J only read", Details: map[string]string{"version": "4", "base_version": "3"}, Outcome: "success"},
		},
		{
			Time: timestamppb.New(noon.Add(-time.Minute)), User: &activityv1.User{Name: "Ana Acme", Email: "ana@acme.test"},
			Act: &activityv1.Act{Action: "token.revoke", Caller: "person", Targets: []string{"ci"}, Outcome: "failure", ErrorCode: "PermissionDenied", ErrorMessage: "RevokeToken needs the role admin."},
		},
		{Time: timestamppb.New(noon.Add(-time.Hour)), User: &activityv1.User{Name: "admin"}, Act: &activityv1.Act{Action: "groups.refresh", Caller: "token_file", Role: "admin", Outcome: "unknown"}},
	}, noon)
	want := `
TIME      WHO            BY          ROLE   ACT             RESULT                     ON  DETAILS
12:00:00  ci             API token   admin  policy.save     done                       -   base_version 3; version 4; Contractors` + "\uFFFD" + `[2J only read
11:59:00  ana@acme.test  person      none   token.revoke    refused: PermissionDenied  ci  RevokeToken needs the role admin.
11:00:00  admin          token file  admin  groups.refresh  unknown                    -
`
	if diff := cmp.Diff(want, "\n"+out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestTokenStates(t *testing.T) {
	at := timestamppb.New(noon)
	for want, token := range map[string]*adminv1.ApiToken{
		"live": {Live: true, ExpiresAt: at}, "expired": {ExpiresAt: at}, "revoked": {ExpiresAt: at, RevokedAt: at},
	} {
		if got, _ := tokenState(token); got != want {
			t.Errorf("%v is %s, want %s", token, got, want)
		}
	}
	var l lifetime
	for text, want := range map[string]time.Duration{"12h": 12 * time.Hour, "90d": 90 * 24 * time.Hour, "8w": 56 * 24 * time.Hour, "1y": 0, "": 0, "-1d": 0} {
		l = 0
		err := l.UnmarshalText([]byte(text))
		if time.Duration(l) != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v", text, time.Duration(l), err)
		}
	}
}

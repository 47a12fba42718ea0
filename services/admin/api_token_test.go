package admin_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/admin"
	"sallyport/services/internal/state"
)

func TestAPITokens(t *testing.T) {
	cfg := redisOnly(t)
	conn := start(t, cfg)
	access, policies := adminv1.NewAccessServiceClient(conn), adminv1.NewPolicyServiceClient(conn)
	seeded(asAdmin(t), t, policies)
	made, err := access.CreateToken(asAdmin(t), &adminv1.CreateTokenRequest{Name: "ci", Role: asAdmins})
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^sallyport_[A-Z2-7]{33}$`).MatchString(made.GetToken()) {
		t.Errorf("the token looks like %q", made.GetToken())
	}
	if left := time.Until(made.GetExpiresAt().AsTime()); left < 89*24*time.Hour || left > 90*24*time.Hour {
		t.Errorf("it works for %v, want 90 days", left)
	}
	ctx := with(t, made.GetToken())
	saved, err := policies.SavePolicy(ctx, &adminv1.SavePolicyRequest{Policy: denying("a"), BaseVersion: 1})
	if err != nil {
		t.Fatal(err)
	}
	inForce, err := policies.GetPolicy(ctx, &adminv1.GetPolicyRequest{})
	if err != nil || inForce.GetSavedBy() != "ci" || inForce.GetVersion() != saved.GetVersion() {
		t.Errorf("the policy was saved by %q, %v", inForce.GetSavedBy(), err)
	}
	listed := list(t, access)
	if got := listed["ci"]; !got.GetLive() || got.GetRole() != asAdmins || got.GetCreatedBy() != "admin" || time.Since(got.GetLastUsedAt().AsTime()) > time.Minute {
		t.Errorf("listed is %v", got)
	}
	_, err = access.CreateToken(asAdmin(t), &adminv1.CreateTokenRequest{Name: "ci", Role: asViewer})
	if status.Code(err) != codes.AlreadyExists {
		t.Errorf("a second live token ci: %v", err)
	}
	_, err = access.RevokeToken(asAdmin(t), &adminv1.RevokeTokenRequest{Name: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = policies.GetPolicy(ctx, &adminv1.GetPolicyRequest{})
	if status.Code(err) != codes.Unauthenticated || !strings.HasPrefix(status.Convert(err).Message(), "The API token ci was revoked at ") {
		t.Errorf("the request after it was revoked: %v", err)
	}
	if got := list(t, access)["ci"]; got.GetLive() || got.GetRevokedBy() != "admin" || got.GetRevokedAt() == nil {
		t.Errorf("listed is %v", got)
	}
	_, err = access.RevokeToken(asAdmin(t), &adminv1.RevokeTokenRequest{Name: "ci"})
	if status.Code(err) != codes.NotFound {
		t.Errorf("revoked once more: %v", err)
	}
	next, err := access.CreateToken(asAdmin(t), &adminv1.CreateTokenRequest{Name: "ci", Role: asViewer})
	if err != nil {
		t.Fatal(err)
	}
	_, err = policies.SavePolicy(with(t, next.GetToken()), &adminv1.SavePolicyRequest{Policy: denying("b"), BaseVersion: 2})
	if says := "SavePolicy needs the role admin, and ci (an API token) has the role viewer. "; status.Code(err) != codes.PermissionDenied || !strings.HasPrefix(status.Convert(err).Message(), says) {
		t.Errorf("a viewer's token saves: %v", err)
	}
	noneInClear(t, cfg.Redis, made.GetToken(), next.GetToken())
}

func list(t *testing.T, client adminv1.AccessServiceClient) map[string]*adminv1.ApiToken {
	t.Helper()
	answer, err := client.ListTokens(with(t, viewerToken), &adminv1.ListTokensRequest{})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*adminv1.ApiToken{}
	for _, token := range answer.GetTokens() {
		byName[token.GetName()] = token
	}
	return byName
}

// noneInClear looks for secrets in everything that Redis holds.
func noneInClear(t *testing.T, address string, secrets ...string) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: address})
	defer client.Close()
	// What is compressed can't be searched.
	err := client.ConfigSet(t.Context(), "rdbcompression", "no").Err()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatal(keys, err)
	}
	for _, key := range keys {
		dump, err := client.Dump(t.Context(), key).Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if strings.Contains(key+dump, secret) || strings.Contains(key+dump, strings.TrimPrefix(secret, "sallyport_")) {
				t.Errorf("%s holds a token in clear", key)
			}
		}
	}
}

func TestEndedAPITokens(t *testing.T) {
	t.Parallel()
	cfg := redisOnly(t)
	conn := start(t, cfg)
	store := state.Open(cfg.Redis)
	defer store.Close()
	now, err := store.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	token := func(role string, life time.Duration) string {
		text := admin.NewAPIToken()
		err := store.CreateAPIToken(t.Context(), state.TokenHash(text), state.APIToken{Name: "t" + text[10:], Role: role, CreatedAt: now, ExpiresAt: now.Add(life)})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	soon := token("viewer", time.Second)
	for name, test := range map[string]struct {
		token string
		code  codes.Code
		says  string
	}{
		"expired":              {token("admin", -time.Minute), codes.Unauthenticated, `^The API token t\w+ expired at \d`},
		"forgotten":            {token("admin", -31*24*time.Hour), codes.Unauthenticated, "^Sallyport knows no such API token"},
		"never made":           {admin.NewAPIToken(), codes.Unauthenticated, "^Sallyport knows no such API token"},
		"cut":                  {soon[:len(soon)-1], codes.Unauthenticated, "^The API token is damaged"},
		"a role that isn't":    {token("owner", time.Hour), codes.PermissionDenied, `^GetRoles needs the role viewer, and t\w+ \(an API token\) has no role`},
		"works":                {token("viewer", time.Hour), codes.OK, ""},
		"its hash is no token": {state.TokenHash(soon), codes.Unauthenticated, "^The token is none that Sallyport knows"},
	} {
		_, err := adminv1.NewAccessServiceClient(conn).GetRoles(with(t, test.token), &adminv1.GetRolesRequest{})
		if status.Code(err) != test.code || !regexp.MustCompile(test.says).MatchString(status.Convert(err).Message()) {
			t.Errorf("%s: %v, want %v that says %s", name, err, test.code, test.says)
		}
	}
	// The request after the end is refused, without anything having been done.
	ctx, cancel := context.WithTimeout(with(t, soon), 20*time.Second)
	defer cancel()
	for err = nil; err == nil; {
		_, err = adminv1.NewAccessServiceClient(conn).GetRoles(ctx, &adminv1.GetRolesRequest{})
		time.Sleep(10 * time.Millisecond)
	}
	if at, _ := store.Now(t.Context()); status.Code(err) != codes.Unauthenticated || at.Before(now.Add(time.Second)) {
		t.Errorf("at its end: %v at %v", err, at)
	}
	_, err = adminv1.NewAccessServiceClient(start(t, admin.Config{})).GetRoles(with(t, admin.NewAPIToken()), &adminv1.GetRolesRequest{})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("without Redis: %v, want Unavailable", err)
	}
}

func TestCreateTokenRefuses(t *testing.T) {
	client := adminv1.NewAccessServiceClient(start(t, redisOnly(t)))
	for name, test := range map[string]struct {
		request *adminv1.CreateTokenRequest
		says    string
	}{
		"no name":           {&adminv1.CreateTokenRequest{Role: asViewer}, `name is ""`},
		"an e-mail address": {&adminv1.CreateTokenRequest{Name: "ana@acme.test", Role: asViewer}, "name is"},
		"capitals":          {&adminv1.CreateTokenRequest{Name: "Sallyport", Role: asViewer}, "name is"},
		"too long":          {&adminv1.CreateTokenRequest{Name: strings.Repeat("a", 65), Role: asViewer}, "name is"},
		"admin":             {&adminv1.CreateTokenRequest{Name: "admin", Role: asViewer}, `name is "admin", which is the name of a token of the token file`},
		"the file's":        {&adminv1.CreateTokenRequest{Name: "ci-robot", Role: asViewer}, `name is "ci-robot", which is the name of a token of the token file`},
		"no role":           {&adminv1.CreateTokenRequest{Name: "ci"}, "role is missing"},
		"no time":           {&adminv1.CreateTokenRequest{Name: "ci", Role: asViewer, Lifetime: &durationpb.Duration{}}, "lifetime may be"},
		"for ever":          {&adminv1.CreateTokenRequest{Name: "ci", Role: asViewer, Lifetime: durationpb.New(367 * 24 * time.Hour)}, "lifetime may be"},
		"beyond time":       {&adminv1.CreateTokenRequest{Name: "ci", Role: asViewer, Lifetime: &durationpb.Duration{Seconds: 1 << 62}}, "lifetime may be"},
	} {
		_, err := client.CreateToken(asAdmin(t), test.request)
		if status.Code(err) != codes.InvalidArgument || !strings.HasPrefix(status.Convert(err).Message(), test.says) {
			t.Errorf("%s: %v, want InvalidArgument that says %q", name, err, test.says)
		}
	}
}

func FuzzWellFormed(f *testing.F) {
	f.Add(admin.NewAPIToken())
	f.Add("sallyport_")
	f.Fuzz(func(t *testing.T, token string) {
		if !admin.WellFormed(token) {
			return
		}
		damaged := token[:len(token)-1]
		if admin.WellFormed(damaged) {
			t.Errorf("both %q and %q are well formed", token, damaged)
		}
	})
}

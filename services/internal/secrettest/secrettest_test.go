package secrettest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"sallyport/services/internal/secrettest"
)

func TestWitness(t *testing.T) {
	witness := secrettest.Watch()
	const secret = "-secret-that-is-long-enough"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "cookie" + secret})
		w.Header().Set("Location", "http://localhost/?code=code"+secret)
		_, _ = io.WriteString(w, `{"access_token":"access`+secret+`","refresh_token":"family`+secret+`.part`+secret+`"}`)
	}))
	defer server.Close()
	request, err := http.NewRequest(http.MethodPost, server.URL+"/oauth/token?state=state"+secret, strings.NewReader(url.Values{"code_verifier": {"verifier" + secret}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "Bearer bearer"+secret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || !strings.Contains(string(body), "access"+secret) {
		t.Errorf("the answer is %s, %v", body, err)
	}
	for _, kind := range []string{"cookie", "code", "access", "family", "part", "state", "verifier", "bearer"} {
		found := witness.Find([]byte("and here: " + kind + secret + "."))
		if len(found) != 1 || strings.Contains(found[0], secret) || !strings.Contains(found[0], "and here: ") {
			t.Errorf("%s is found as %q", kind, found)
		}
	}
	if found := witness.Find([]byte("nothing" + secret + ", short")); len(found) > 0 {
		t.Errorf("found %q", found)
	}
}

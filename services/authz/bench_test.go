package authz

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/services/authz/redact"
	"sallyport/services/internal/assistant"
	"sallyport/services/internal/state"
	"sallyport/services/policy"
)

// BenchmarkPlan reads a call, decides it and makes its record, which is all that authz does of a call
// beside asking Redis.
func BenchmarkPlan(b *testing.B) {
	assistants, err := assistant.Load()
	if err != nil {
		b.Fatal(err)
	}
	engine, err := policy.Compile(&policy.Policy{Default: policy.Allow})
	if err != nil {
		b.Fatal(err)
	}
	keys, err := redact.Parse([]string{"password", "secret", "token", "apiKey", "authorization", "credentials", "cookie", "!pageToken"})
	if err != nil {
		b.Fatal(err)
	}
	s := &Server{assistants: assistants, redact: keys}
	person := newSession(state.Grant{AccountID: "712020:ana", Email: "ana@acme.test", Name: "Ana", ClientKey: "claude"}, state.Groups{Known: true}, upstream{})
	const frame = `{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"name":"executeWrite","arguments":{"name":"editJiraIssue","cloudId":"acme.atlassian.net","inputs":{"issueIdOrKey":"OPS-1","description":%s}}}}`
	const node = `{"type":"paragraph","content":[{"type":"text","text":"All the king's horses"}]}`
	for _, size := range []int{300, 4 << 10, 64 << 10} {
		room := max(1, size-len(frame))
		for shape, value := range map[string]string{
			"text":     `"` + strings.Repeat("All the king's horses\\n", max(1, room/23)) + `"`,
			"document": `{"type":"doc","content":[` + strings.TrimSuffix(strings.Repeat(node+",", max(1, room/(len(node)+1))), ",") + `]}`,
		} {
			body := fmt.Appendf(nil, frame, value)
			b.Run(fmt.Sprintf("%s/%dB", shape, size), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					q := s.question(request{id: "r1", method: "POST", body: body, headers: headers{"content-type": {"application/json"}}})
					p, err := q.plan(person, &ruleset{engine: engine, version: 1}, "it@acme.test")
					if err != nil || p.note.Blocked {
						b.Fatal(err, p.note)
					}
				}
			})
		}
	}
}

package mcp_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/services/mcp"
)

// BenchmarkParse reads calls of the sizes of the latency budget: with one long text, and with a
// document of many small nodes such as Atlassian's editor makes.
func BenchmarkParse(b *testing.B) {
	for _, size := range []int{300, 4 << 10, 64 << 10} {
		for _, shape := range []struct {
			name string
			body func(int) string
		}{{"text", textCall}, {"document", documentCall}} {
			body := []byte(shape.body(size))
			b.Run(fmt.Sprintf("%s/%dB", shape.name, size), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					_, err := mcp.Parse(body)
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

const callFrame = `{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"name":"executeWrite","arguments":{"name":"editJiraIssue","cloudId":"acme.atlassian.net","inputs":{"issueIdOrKey":"OPS-1","description":%s}}}}`

func textCall(size int) string {
	text := strings.Repeat("All the king's horses\\n", size/23)
	return fmt.Sprintf(callFrame, `"`+text[:max(0, min(len(text), size-len(callFrame)))/23*23]+`"`)
}

func documentCall(size int) string {
	node := `{"type":"paragraph","content":[{"type":"text","text":"All the king's horses"}]}`
	nodes := strings.Repeat(node+",", max(1, (size-len(callFrame))/(len(node)+1)))
	return fmt.Sprintf(callFrame, `{"type":"doc","content":[`+strings.TrimSuffix(nodes, ",")+`]}`)
}

package rovo

import (
	"fmt"
	"strings"

	"sallyport/tools/atlassian/oauth"
	"sallyport/tools/atlassian/site"
)

// call is one operation at work: by whom and with what.
type call struct {
	site   *site.Site
	person site.Person
	grant  oauth.Grant
	args   map[string]any
}

// handler does an operation; what it returns becomes the JSON text of the answer.
type handler func(call) (any, error)

// text returns an argument as text, "" when it is absent. Atlassian Document Format becomes plain text.
func (c call) text(name string) string { return plain(c.args[name]) }

func plain(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any:
		var b strings.Builder
		writeDocument(&b, v)
		return strings.TrimSpace(b.String())
	default:
		return fmt.Sprint(v)
	}
}

func writeDocument(b *strings.Builder, node map[string]any) {
	if s, ok := node["text"].(string); ok {
		b.WriteString(s)
	}
	children, _ := node["content"].([]any)
	for _, child := range children {
		if m, ok := child.(map[string]any); ok {
			writeDocument(b, m)
		}
	}
	if node["type"] == "paragraph" || node["type"] == "heading" {
		b.WriteString("\n")
	}
}

func (c call) object(name string) map[string]any {
	m, _ := c.args[name].(map[string]any)
	return m
}

func (c call) list(name string) []string { return texts(c.args[name]) }

func texts(value any) []string {
	all, _ := value.([]any)
	var found []string
	for _, one := range all {
		found = append(found, plain(one))
	}
	return found
}

// number returns an argument between 1 and most, or the default when it is absent.
func (c call) number(name string, otherwise, most int) int {
	n, ok := c.args[name].(float64)
	if !ok || n < 1 {
		return otherwise
	}
	return min(int(n), most)
}

func notInstalled(call) (any, error) {
	return nil, &site.Error{Status: 403, Messages: []string{"The app is not installed on this instance"}}
}

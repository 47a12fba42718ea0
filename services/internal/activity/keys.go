package activity

import (
	"slices"
	"strings"
)

const (
	// mostKeys is how many keys of one call are told apart, and longestKey how long one may be.
	mostKeys   = 50
	longestKey = 64
)

// KeysIn finds the keys of Jira issues, such as OPS-12, in the text of a call's arguments, and the keys of
// projects: of those issues, and where the arguments name one, as "projectKey": "OPS", project = OPS or
// project in (OPS, WEB). Keys are in upper case; each is there once. Text in lower case has issue keys only
// where one is a whole value. What looks like a key is taken for one, such as UTF-8.
func KeysIn(text string) (issues, projects []string) {
	add := func(list *[]string, key string) {
		if key = strings.ToUpper(key); len(*list) < mostKeys && len(key) <= longestKey && !slices.Contains(*list, key) {
			*list = append(*list, key)
		}
	}
	for at := strings.IndexByte(text, '-'); at >= 0; {
		project, number := keyAround(text, at)
		if project != "" {
			add(&issues, project+"-"+number)
			add(&projects, project)
		}
		next := strings.IndexByte(text[at+1:], '-')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	for rest := text; ; {
		at := strings.Index(rest, "roject")
		if at < 0 {
			return issues, projects
		}
		before := ""
		if at > 0 {
			before = rest[at-1 : at]
		}
		rest = rest[at+len("roject"):]
		if before == "p" || before == "P" {
			for _, key := range projectsAfter(rest) {
				add(&projects, key)
			}
		}
	}
}

// keyAround reads the issue key whose hyphen is at a place of a text; empty where there is none.
func keyAround(text string, at int) (project, number string) {
	from, to := at, at+1
	for from > 0 && at-from <= longestKey && inKey(text[from-1]) {
		from--
	}
	for to < len(text) && to-at <= longestKey && isDigit(text[to]) {
		to++
	}
	project, number = text[from:at], text[at+1:to]
	if !isKey(project) || number == "" || to < len(text) && (inKey(text[to]) || text[to] == '-') || from > 0 && text[from-1] == '-' {
		return "", ""
	}
	whole := from > 0 && text[from-1] == '"' && to < len(text) && text[to] == '"'
	if project != strings.ToUpper(project) && !whole {
		return "", ""
	}
	return project, number
}

// projectsAfter reads what follows the word project: the rest of a member's name, what stands between it
// and its value, and one key or a list of them.
func projectsAfter(text string) []string {
	text = text[:min(len(text), 1024)]
	text = strings.TrimLeftFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' })
	member := strings.HasPrefix(text, `"`) || strings.HasPrefix(text, `\"`)
	text = strings.TrimLeft(text, ` "\`)
	separator, in := "=", false
	switch {
	case member:
		separator = ":"
	case len(text) > 2 && strings.EqualFold(text[:2], "in") && strings.HasPrefix(strings.TrimLeft(text[2:], " "), "("):
		separator, in = text[:2], true
	}
	text, ok := strings.CutPrefix(text, separator)
	if !ok {
		return nil
	}
	var keys []string
	list := in
	text = strings.TrimLeft(text, " ")
	if member && strings.HasPrefix(text, "[") {
		list = true
	}
	if object, ok := strings.CutPrefix(text, `{"key":`); ok {
		text = strings.TrimLeft(object, " ")
	}
	for {
		text = strings.TrimLeft(text, ` "'\([`)
		end := 0
		for end < len(text) && inKey(text[end]) {
			end++
		}
		if !isKey(text[:end]) {
			return keys
		}
		keys = append(keys, text[:end])
		text = strings.TrimLeft(text[end:], ` "'\`)
		if !list || !strings.HasPrefix(text, ",") {
			return keys
		}
		text = text[1:]
	}
}

// isKey says that a text could be the key of a project: a letter, and then letters, digits or
// underscores.
func isKey(text string) bool { return len(text) >= 2 && !isDigit(text[0]) && text[0] != '_' }

func inKey(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || isDigit(c) || c == '_'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

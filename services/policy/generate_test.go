package policy_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"unicode"

	"sallyport/services/policy"
)

// world makes policies, and people, assistants and messages that its policies are often about: all
// of them take their names from a few that the world begins with.
type world struct {
	*rand.Rand

	names, arns     []string
	clients, people []string
	groups          []policy.Group
}

// knownTools are the names of the tools that there are.
func knownTools(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("../operation/testdata/operations.txt")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 3 && fields[0] != "#" {
			names = append(names, strings.Join(fields[:len(fields)-3], " "))
		}
	}
	if len(names) < 200 {
		t.Fatalf("only %d tools are known", len(names))
	}
	return names
}

func newWorld(seed uint64, tools []string) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 0))}
	for range 6 {
		w.names = append(w.names, w.operationName(tools))
	}
	for range 3 {
		w.arns = append(w.arns, w.arn())
		w.clients = append(w.clients, w.pick("claude", "Claude Code", "claude-code", "Claude Desktop (beta)", "chatgpt", "ChatGPT", "mcp-remote", "cursor", "my claude", "Größe", "claude2", "c", "-"))
		w.people = append(w.people, w.pick("ana@acme.test", "Bo@acme.test", "712020:Ana", "5b10ac8d82e05b22cc7d4ef5", "straße@acme.test", "\u212aai@acme.test"))
		w.groups = append(w.groups, policy.Group{
			ID:   w.pick("g-1", "g-2", "G-1", "developers", "276f955c-63d7"),
			Name: w.pick("developers", "Developers", "site admins", "contractors", "ΟΔΟΣ", "g-1", "Mi\u017f"),
		})
	}
	return w
}

func (w *world) pick(list ...string) string { return list[w.IntN(len(list))] }

// oneIn is true once in so many times.
func (w *world) oneIn(times int) bool { return w.IntN(times) == 0 }

func (w *world) operationName(tools []string) string {
	switch w.IntN(8) {
	case 0, 1, 2:
		return w.pick(tools...)
	case 3:
		return w.pick("fetch", "Fetch", "search", "atlassianUserInfo", "execute", "executeRead", "EXECUTEwrite", "frobnicate", "x")
	}
	return w.composed()
}

// composed is a name of words that mean something, joined in one of the ways that names are.
func (w *world) composed() string {
	var words []string
	add := func(times int, list string) {
		if w.oneIn(times) {
			words = append(words, w.pick(strings.Fields(list)...))
		}
	}
	add(3, productWords+" JQL CQL")
	add(4, wordsInFront)
	add(6, "the un re deleted ISSUES jira löschen \u0130ssue")
	for {
		words = append(words, w.pick(strings.Fields(verbTable[w.pick("read", "create", "update", "delete", "manage")])...))
		if !w.oneIn(3) {
			break
		}
		words = append(words, w.pick("or", "and", "and", "then", "and bulk"))
	}
	add(2, productWords)
	add(2, ofJira+" "+ofConfluence+" URL ID2 Ünïcode \u212aind b🙂c")
	style, separator := w.IntN(4), w.pick("_", "-", ".", "/", ":", " ", "__", "_-", "\u00a0", "\u3000")
	for i, word := range words {
		switch {
		case style == 0 || style == 1 && i > 0:
			runes := []rune(word)
			words[i] = string(unicode.ToUpper(runes[0])) + string(runes[1:])
		case style == 2 && w.oneIn(3):
			words[i] = strings.ToUpper(word)
		}
	}
	if style < 2 {
		separator = ""
	}
	return strings.Join(words, separator)
}

// recased is a text in another case, with the letters that only folding knows.
func (w *world) recased(text string) string {
	switch w.IntN(6) {
	case 0:
		return strings.ToUpper(text)
	case 1:
		return strings.ToLower(text)
	case 2:
		return strings.NewReplacer("s", "\u017f", "k", "\u212a", "S", "s").Replace(text)
	}
	return text
}

func (w *world) arn() string {
	return w.pick("ari:cloud:", "ARI:cloud:", " ari:cloud:", "ari:cloud", "arn:cloud:") +
		w.pick("jira", "Confluence", "bitbucket", "compa\u017fs", "townsquare", "", "a b", "x*") + w.pick(":acme:issue/1", ":", "")
}

func (w *world) effect() policy.Effect {
	return []policy.Effect{policy.Allow, policy.Deny}[w.IntN(2)]
}

func (w *world) policy() *policy.Policy {
	p := &policy.Policy{Default: w.effect()}
	for i := range w.IntN(10) {
		r := w.rule()
		r.ID = fmt.Sprint("r", i)
		p.Rules = append(p.Rules, r)
	}
	return p
}

func (w *world) rule() policy.Rule {
	r := policy.Rule{Effect: w.effect(), Note: w.pick("", "a note"), Verified: w.oneIn(8)}
	if !w.oneIn(6) {
		r.Operation = w.operationPattern()
	}
	if w.oneIn(3) {
		r.Client = w.clientPattern()
	}
	if w.oneIn(2) {
		r.Who = w.who()
	}
	if w.oneIn(4) {
		r.Mode = policy.Monitor
	}
	return r
}

// like is a rule that differs from another a little.
func (w *world) like(r policy.Rule) policy.Rule {
	switch w.IntN(6) {
	case 0:
		r.Operation = w.recased(r.Operation) + w.pick("", " *", " "+w.operationTerm())
	case 1:
		r.Operation = w.recased(w.pick(w.names...))
	case 2:
		r.Client = w.recased(r.Client)
	case 3:
		r.Who = "any"
	}
	if kind, name, ok := strings.Cut(r.Who, ":"); ok && w.oneIn(2) {
		r.Who = kind + ":" + w.recased(name)
	}
	if w.oneIn(3) {
		r.Effect = w.effect()
	}
	return r
}

func (w *world) operationPattern() string {
	terms := []string{w.operationTerm()}
	for w.oneIn(3) {
		terms = append(terms, w.operationTerm())
	}
	if w.oneIn(3) {
		terms = append(terms, w.pick(strings.Fields(productWords)...), "*")
		w.Shuffle(len(terms), func(i, j int) { terms[i], terms[j] = terms[j], terms[i] })
	}
	return w.pick("", "", " ") + strings.Join(terms, w.pick(" ", "  ", "\t"))
}

func (w *world) operationTerm() string {
	// A name with blanks makes several terms.
	name := w.pick(w.names...)
	switch w.IntN(8) {
	case 0, 1:
		return w.recased(w.pick("read*", "create*", "update*", "delete*", "manage*", "write*"))
	case 2:
		return w.pick(w.recased(w.pick(strings.Fields(productWords)...)), w.pick("townsquare", "compa\u017f\u017f"), "*")
	case 3:
		return w.pick("get", "add", "remove", "run", "link", "e", "jira", "conf", "execute") + "*"
	case 4:
		if other := otherName(name); other != "" {
			return w.recased(other)
		}
		return w.recased(w.pick("execute", "executeRead", "executeWrite"))
	case 5, 6:
		return w.recased(w.globOf(name))
	}
	return w.recased(name)
}

// globOf is a glob that a text fits, or nearly.
func (w *world) globOf(text string) string {
	runes := []rune(text)
	from := w.IntN(len(runes) + 1)
	to := from + w.IntN(len(runes)-from+1)
	glob := string(runes[:from]) + "*" + string(runes[to:])
	switch w.IntN(5) {
	case 0:
		return "*" + string(runes[from:to]) + "*"
	case 1:
		return glob + "*"
	case 2:
		return string(runes[:from]) + "*" + string(runes[from:])
	case 3:
		return w.pick("**", "*e*", "a*", "*"+string(runes[from:]))
	}
	return glob
}

func (w *world) clientPattern() string {
	name := w.pick(w.clients...)
	switch w.IntN(5) {
	case 0:
		return w.pick("*", " * ", "**", "claude", "Claude Code", "*e*", "-", "claude*", "*claude*")
	case 1:
		return w.globOf(name)
	case 2:
		words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" -()", r) })
		if len(words) > 0 {
			return strings.Join(words[:1+w.IntN(len(words))], w.pick(" ", "-"))
		}
	}
	return w.recased(name)
}

func (w *world) who() string {
	g := w.groups[w.IntN(len(w.groups))]
	return w.pick("any", "user:"+w.pick(w.people...), "user:"+w.recased(w.pick(w.people...)),
		"group:"+g.ID, "group:"+g.Name, "group: "+w.recased(g.Name)+" ", "group:"+w.recased(g.ID))
}

func (w *world) client() policy.Client {
	classes := []policy.Class{policy.Verified, policy.Claimed, policy.Unknown}
	return policy.Client{Key: w.recased(w.pick(w.clients...)), Name: w.pick("", w.pick(w.clients...)), Class: classes[w.IntN(3)]}
}

func (w *world) subject() policy.Subject {
	s := policy.Subject{GroupsKnown: !w.oneIn(4)}
	for _, person := range w.people[:w.IntN(len(w.people)+1)] {
		if strings.Contains(person, "@") {
			s.Email = w.recased(person)
		} else {
			s.AccountID = w.recased(person)
		}
	}
	for range w.IntN(3) {
		s.Groups = append(s.Groups, w.groups[w.IntN(len(w.groups))])
	}
	return s
}

// message is a JSON-RPC message, of which something is missing or of another type now and then.
func (w *world) message() map[string]any {
	m := map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
	if w.oneIn(8) {
		m["method"] = w.pick("initialize", "ping", "notifications/x", "notifications", "logging/setLevel", "server/discover", "subscriptions/listen",
			"tasks/get", "tasks", "resources/list", "/list", "list", "resources/templates/list", "resources/read", "resources/subscribe",
			"prompts/get", "completion/complete", "Tools/Call", "PING", "tools/callx", w.pick(w.names...))
	}
	if w.oneIn(50) {
		delete(m, "method")
		m["result"] = map[string]any{}
	}
	name := w.pick(w.names...)
	arguments := map[string]any{"id": w.value(w.pick(w.arns...)), "cloudId": "acme"}
	if w.oneIn(3) {
		inner := map[string]any{"name": w.value(name), "inputs": w.value(map[string]any{"id": w.value(w.pick(w.arns...))})}
		name, arguments = w.recased(w.pick("execute", "executeRead", "executeWrite", "executeDestructive")), inner
	}
	m["params"] = w.value(map[string]any{"name": w.value(name), "arguments": w.value(arguments)})
	if w.oneIn(60) {
		delete(m, "params")
	}
	return m
}

// value is a value, or once in a while one that isn't expected there.
func (w *world) value(v any) any {
	if !w.oneIn(40) {
		return v
	}
	return []any{nil, 7, "", true, []any{v}, map[string]any{"name": v}, fmt.Sprint(v)}[w.IntN(7)]
}

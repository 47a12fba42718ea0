package mcp_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestRandomBodies does what FuzzParse does with bodies that are nearly messages: with members twice,
// in another case, escaped, missing, of another type or in another place.
func TestRandomBodies(t *testing.T) {
	taken := 0
	for seed := range uint64(10000) {
		w := writer{rand.New(rand.NewPCG(seed, 0))}
		if readAlike(t, []byte(w.body())) {
			taken++
		}
	}
	t.Logf("%d bodies were taken", taken)
	if taken < 3000 || taken > 8000 {
		t.Error("those are too few or too many to show anything")
	}
}

// writer writes bodies.
type writer struct{ *rand.Rand }

func (w writer) pick(list ...string) string { return list[w.IntN(len(list))] }

// oneIn is true once in so many times.
func (w writer) oneIn(times int) bool { return w.IntN(times) == 0 }

func (w writer) body() string {
	text := w.message()
	if w.oneIn(5) {
		text = "[" + w.message() + "," + text + w.pick("", "", ","+w.message()) + "]"
	}
	if w.oneIn(30) {
		at := w.IntN(len(text))
		text = text[:at] + w.pick("", "\x00", "}", "\"", ",", "\\", "\xff", "{}") + text[at+w.IntN(2):]
	}
	return w.pick("", "", "", " ", "\n") + text + w.pick("", "", "", "\r\n\t ") + w.pick(strings.Split(strings.Repeat(" ,", 60)+"0,{},x,]", ",")...)
}

func (w writer) message() string {
	method := w.pick("tools/call", "tools/call", "tools/call", "tools/list", "initialize", "resources/read", "prompts/get", "tasks/get", "")
	members := []string{
		w.member("jsonrpc", w.text("2.0")),
		w.member("id", w.pick("1", `"a"`, "null", "1.5e3", "-0")),
		w.member("method", w.text(method)),
		w.member("params", w.params()),
	}
	if w.oneIn(40) {
		members[2] = w.member(w.pick("result", "error"), "{}")
	}
	return w.object(members)
}

func (w writer) params() string {
	tool := w.pick("getJiraIssue", "fetch", "Fetch", "execute", "executeRead", "EXECUTEdestructive", "\u00e9", strings.Repeat("x", 250+w.IntN(10)))
	arguments := []string{w.member("id", w.text("ari:cloud:jira:1:issue/2")), w.member("cloudId", w.text("acme"))}
	if strings.HasPrefix(strings.ToLower(tool), "execute") {
		inputs := w.object([]string{w.member("id", w.text("ari:cloud:confluence:1:page/2")), w.member("x", "[{}]")})
		arguments = append(arguments, w.member("name", w.text(w.pick("fetch", "deleteJiraIssue", ""))), w.member("inputs", inputs))
	}
	return w.object([]string{
		w.member("name", w.text(tool)), w.member("arguments", w.object(arguments)), w.member("uri", w.text("jira://OPS-1")),
		w.member("taskId", w.text("t-1")),
		w.member("_meta", w.object([]string{
			w.member(metaPrefix+"clientInfo", w.object([]string{w.member("name", w.text("x"))})),
			w.member(metaPrefix+"protocolVersion", w.text("2026-07-28")), w.member(metaPrefix+"clientCapabilities", w.instead("{}")),
		})),
	})
}

// object puts members together in any order; once in a while one is missing or there twice, or the
// object is something else.
func (w writer) object(members []string) string {
	w.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	if w.oneIn(40) {
		members = members[1:]
	}
	if len(members) > 0 && w.oneIn(60) {
		members = append(members, members[w.IntN(len(members))])
	}
	text := "{" + strings.Join(members, w.pick(",", ", ")) + "}"
	return w.instead(text)
}

func (w writer) member(name, value string) string {
	written := w.quoted(name)
	if w.oneIn(80) {
		written = w.quoted(w.pick(strings.ToUpper(name), strings.ReplaceAll(name, "s", "\u017f"), name+" ", "\u212aey"))
	}
	member := written + w.pick(":", ": ") + value
	if w.oneIn(100) {
		member += "," + w.quoted(w.pick(strings.ToUpper(name), name, "other")) + ":" + w.pick(value, "1")
	}
	return member
}

func (w writer) text(value string) string { return w.instead(w.quoted(value)) }

// instead is a value, or once in a while one of another type.
func (w writer) instead(value string) string {
	if !w.oneIn(80) {
		return value
	}
	return w.pick("null", "7", "true", "[]", "{}", `""`, "["+value+"]", `"\ud83d\ude00"`, `"\ud83d"`)
}

// quoted is a JSON string, of which a letter may be escaped.
func (w writer) quoted(text string) string {
	if text == "" || !w.oneIn(10) {
		return `"` + text + `"`
	}
	runes := []rune(text)
	at := w.IntN(len(runes))
	return `"` + string(runes[:at]) + fmt.Sprintf(w.pick(`\u%04x`, `\u%04X`), runes[at]) + string(runes[at+1:]) + `"`
}

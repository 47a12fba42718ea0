package policy_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"sallyport/services/policy"
)

// This is a second reading of the rule language, for TestDifferential: plain and slow, written from
// the words of policy.md and sharing nothing with the engine but the structs. A comment that begins
// with "Silent" names a choice which policy.md leaves open.

// answer is what the reading says about one message.
type answer struct {
	// outcome is ungoverned, blocked (whatever the policy says) or decided.
	outcome  string
	decision policy.Decision
	// matched says of each rule that was come to whether it matches.
	matched []bool
}

// asked is an operation that is asked for.
type asked struct {
	name, other, outer, product string
	verbs                       []string
}

func readMessage(p *policy.Policy, c policy.Client, s policy.Subject, message json.RawMessage) answer {
	var m map[string]any
	err := json.Unmarshal(message, &m)
	if err != nil {
		return answer{outcome: "unreadable"}
	}
	method, hasMethod := m["method"].(string)
	if !hasMethod || ungovernedMethod(method) {
		return answer{outcome: "ungoverned"}
	}
	name, outer, fetchID := method, "", any(nil)
	if method == "tools/call" {
		params, _ := m["params"].(map[string]any)
		arguments, _ := params["arguments"].(map[string]any)
		name, _ = params["name"].(string)
		fetchID = arguments["id"]
		if isExecute(name) {
			outer = name
			name, _ = arguments["name"].(string)
			inputs, _ := arguments["inputs"].(map[string]any)
			fetchID = inputs["id"]
			// Silent: an execute call of an execute call doesn't say what it is either.
			if isExecute(name) {
				name = ""
			}
		}
		// Silent: an empty name is no name.
		if name == "" {
			return answer{outcome: "blocked"}
		}
	}
	id, _ := fetchID.(string)
	decision, matched := readRules(p, c, s, readOperation(name, outer, id))
	return answer{"decided", decision, matched}
}

func ungovernedMethod(method string) bool {
	for pattern := range strings.FieldsSeq("initialize ping notifications/* logging/setLevel server/discover subscriptions/listen tasks/* */list") {
		prefix, suffix, star := strings.Cut(pattern, "*")
		if pattern == method || star && len(method) >= len(pattern)-1 && strings.HasPrefix(method, prefix) && strings.HasSuffix(method, suffix) {
			return true
		}
	}
	return false
}

// Silent: policy.md gives the names in one case; in another they are taken for the same.
func isExecute(tool string) bool {
	return slices.ContainsFunc(strings.Fields("execute executeRead executeWrite executeDestructive"),
		func(name string) bool { return strings.EqualFold(name, tool) })
}

func readRules(p *policy.Policy, c policy.Client, s policy.Subject, op asked) (policy.Decision, []bool) {
	var d policy.Decision
	var matched []bool
	for i, r := range p.Rules {
		about := patternMatches(orElse(r.Operation, "*"), r.Effect, op) && clientMatches(orElse(r.Client, "*"), r.Verified, c)
		person, unknown := whoMatches(orElse(r.Who, "any"), r.Effect, s)
		matched = append(matched, about && person)
		d.GroupsUnknown = d.GroupsUnknown || about && unknown
		switch {
		case !about || !person:
		case r.Mode == policy.Monitor:
			if d.MonitorRule == 0 {
				d.MonitorRule, d.MonitorEffect = i+1, r.Effect
			}
		default:
			d.Allowed, d.Rule, d.RuleID, d.Note = r.Effect == policy.Allow, i+1, r.ID, r.Note
			return d, matched
		}
	}
	d.Allowed = p.Default == policy.Allow
	return d, matched
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// Section 2.

var (
	separators = regexp.MustCompile(`[-_./:\s\v\x{85}\p{Z}]+`)
	ari        = regexp.MustCompile(`(?i)^[\s\v\x{85}\p{Z}]*ari:cloud:([^:]*):`)
	upper      = regexp.MustCompile(`^\p{Lu}$`)
	lower      = regexp.MustCompile(`^\p{Ll}$`)
)

func wordsOf(name string) []string {
	var words []string
	for _, part := range separators.Split(name, -1) {
		letters := strings.Split(part, "")
		word := ""
		for i, letter := range letters {
			hump := i > 0 && upper.MatchString(letter) &&
				(!upper.MatchString(letters[i-1]) || i+1 < len(letters) && lower.MatchString(letters[i+1]))
			if hump {
				words = append(words, strings.ToLower(word))
				word = ""
			}
			word += letter
		}
		if word != "" {
			words = append(words, strings.ToLower(word))
		}
	}
	return words
}

const (
	productWords    = "jira confluence bitbucket compass jsm loom trello"
	ofJira          = "issue issues jql sprint sprints board boards epic worklog worklogs"
	ofConfluence    = "page pages space spaces cql blogpost whiteboard"
	wordsInFront    = "bulk batch multi async"
	readWithoutVerb = "atlassianUserInfo completion/complete"
)

var verbTable = map[string]string{
	"read":   "get list search find fetch lookup read view query download export count show describe discover diff check resolve scan",
	"create": "create add new insert clone copy duplicate import upload publish post reply attach log",
	"update": "update edit set change transition move assign rename link restore archive approve merge complete watch run request put patch modify convert",
	"delete": "delete remove trash purge destroy erase discard wipe clear unlink",
	"manage": "manage administer grant revoke",
}

func oneOf(word, list string) bool { return slices.Contains(strings.Fields(list), word) }

func familyOfVerb(word string) string {
	for family, verbs := range verbTable {
		if oneOf(word, verbs) {
			return family
		}
	}
	return ""
}

func readOperation(name, outer, fetchID string) asked {
	words := wordsOf(name)
	return asked{name, otherName(name), outer, readProduct(name, words, fetchID), readVerbs(name, words)}
}

func readProduct(name string, words []string, fetchID string) string {
	for _, word := range words {
		if oneOf(word, productWords) {
			return word
		}
	}
	for _, word := range words {
		if oneOf(word, ofJira) {
			return "jira"
		}
	}
	for _, word := range words {
		if oneOf(word, ofConfluence) {
			return "confluence"
		}
	}
	if found := ari.FindStringSubmatch(fetchID); found != nil && strings.EqualFold(name, "fetch") {
		return found[1]
	}
	return ""
}

func readVerbs(name string, words []string) []string {
	for known := range strings.FieldsSeq(readWithoutVerb) {
		if strings.EqualFold(name, known) {
			return []string{"get"}
		}
	}
	var rest []string
	for _, word := range words {
		if !oneOf(word, productWords) && (len(rest) > 0 || !oneOf(word, wordsInFront)) {
			rest = append(rest, word)
		}
	}
	for len(rest) > 0 && familyOfVerb(rest[0]) == "" {
		rest = rest[1:]
	}
	var verbs []string
	for len(rest) > 0 && familyOfVerb(rest[0]) != "" {
		verbs = append(verbs, rest[0])
		if len(rest) < 3 || rest[1] != "or" && rest[1] != "and" {
			break
		}
		rest = rest[2:]
	}
	return verbs
}

// renamed is the table of reference/rovo.md 2.3.
const renamed = `
getConfluencePage getConfluenceContent
createConfluencePage createConfluenceContent
updateConfluencePage updateConfluenceContent
searchConfluenceUsingCql searchConfluence
getVisibleJiraProjects listJiraProjects
getJiraProjectIssueTypesMetadata listJiraProjectIssueTypesMetadata
getConfluenceSpaces listConfluenceSpaces
addCommentToJiraIssue addOrEditJiraIssueComment
getTransitionsForJiraIssue listJiraIssueTransitions
getIssueLinkTypes listJiraIssueLinkTypes
createIssueLink createJiraIssueLink
addWorklogToJiraIssue addOrEditJiraIssueWorklog
getJiraIssueRemoteIssueLinks listJiraIssueRemoteIssueLinks`

func otherName(name string) string {
	for line := range strings.SplitSeq(strings.TrimSpace(renamed), "\n") {
		v1, v2, _ := strings.Cut(line, " ")
		switch {
		case strings.EqualFold(name, v1):
			return v2
		case strings.EqualFold(name, v2):
			return v1
		}
	}
	return ""
}

// Section 3.

func patternMatches(pattern string, effect policy.Effect, op asked) bool {
	terms := strings.Fields(pattern)
	for _, term := range terms {
		if !termMatches(term, len(terms) == 1, effect, op) {
			return false
		}
	}
	return true
}

func termMatches(term string, alone bool, effect policy.Effect, op asked) bool {
	exact := strings.EqualFold(term, op.name) || strings.EqualFold(term, op.other) || strings.EqualFold(term, op.outer)
	switch {
	case term == "*":
		return true
	case !strings.Contains(term, "*") && alone:
		return exact
	case !strings.Contains(term, "*"):
		return exact || strings.EqualFold(term, op.product)
	}
	for family := range strings.FieldsSeq("read create update delete manage write") {
		if strings.EqualFold(term, family+"*") {
			return familyMatches(family, effect, op.verbs)
		}
	}
	for _, text := range append([]string{op.name, op.other, op.outer, op.product}, op.verbs...) {
		if text != "" && globMatches(term, text) {
			return true
		}
	}
	return false
}

func familyMatches(family string, effect policy.Effect, verbs []string) bool {
	within := 0
	for _, verb := range verbs {
		of := familyOfVerb(verb)
		if of == family || family == "write" && of != "read" {
			within++
		}
	}
	if effect == policy.Allow {
		return len(verbs) > 0 && within == len(verbs)
	}
	return within > 0 || family == "write" && len(verbs) == 0
}

// globMatches tries every number of characters for each star.
func globMatches(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	switch {
	case len(p) == 0:
		return len(t) == 0
	case p[0] == '*':
		for skip := range len(t) + 1 {
			if globMatches(string(p[1:]), string(t[skip:])) {
				return true
			}
		}
		return false
	}
	return len(t) > 0 && strings.EqualFold(string(p[0]), string(t[0])) && globMatches(string(p[1:]), string(t[1:]))
}

// Sections 4 and 5.

// Silent: the words of a client are its runs of letters and digits, and case doesn't matter.
var clientWord = regexp.MustCompile(`[\p{L}\p{Nd}]+`)

func clientMatches(pattern string, verified bool, c policy.Client) bool {
	pattern = strings.TrimSpace(pattern)
	if verified && c.Class != policy.Verified {
		return false
	}
	for _, text := range []string{c.Key, c.Name} {
		if globMatches(pattern, text) {
			return true
		}
		want, have := clientWord.FindAllString(pattern, -1), clientWord.FindAllString(text, -1)
		begins := !strings.Contains(pattern, "*") && len(want) > 0 && len(want) <= len(have)
		for i := range want {
			begins = begins && strings.EqualFold(want[i], have[i])
		}
		if begins {
			return true
		}
	}
	return false
}

func whoMatches(who string, effect policy.Effect, s policy.Subject) (match, unknown bool) {
	kind, name, _ := strings.Cut(who, ":")
	// Silent: blanks around the name don't matter.
	name = strings.TrimSpace(name)
	switch {
	case kind == "any":
		return true, false
	case kind == "user":
		return name == s.AccountID || strings.EqualFold(name, s.Email), false
	case !s.GroupsKnown:
		return effect == policy.Deny, true
	}
	for _, g := range s.Groups {
		if g.ID == name || strings.EqualFold(g.Name, name) {
			return true, false
		}
	}
	return false, false
}

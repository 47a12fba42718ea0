package mcp_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const metaPrefix = "io.modelcontextprotocol/"

// naive is a plain and slow reader of bodies, for FuzzParse: it says why a body must be refused, or
// nothing where it must be taken.
func naive(body []byte) string {
	if !utf8.Valid(body) {
		return "invalid UTF-8"
	}
	if loneSurrogate(body) {
		return "half of a surrogate pair"
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	value, reason := tree(decoder, 0)
	if reason != "" {
		return reason
	}
	if len(bytes.TrimLeft(body[decoder.InputOffset():], " \t\r\n")) > 0 {
		return "something after the end"
	}
	messages, batch := value.([]any)
	if !batch {
		return badMessage(value)
	}
	if len(messages) == 0 || len(messages) > 100 {
		return "the size of the batch"
	}
	for _, m := range messages {
		if reason = badMessage(m); reason != "" {
			return reason
		}
	}
	return ""
}

var (
	escapes   = regexp.MustCompile(`\\(?:u[0-9a-fA-F]{4}|.)`)
	surrogate = regexp.MustCompile(`^\\u[dD][89a-fA-F]`)
	high      = regexp.MustCompile(`^\\u[dD][89abAB]`)
)

// loneSurrogate reports whether an escaped half of a surrogate pair stands alone.
func loneSurrogate(body []byte) bool {
	places := escapes.FindAllIndex(body, -1)
	for i := 0; i < len(places); i++ {
		text := body[places[i][0]:places[i][1]]
		if !surrogate.Match(text) {
			continue
		}
		if !high.Match(text) || i+1 == len(places) || places[i+1][0] != places[i][1] {
			return true
		}
		i++
		next := body[places[i][0]:places[i][1]]
		if !surrogate.Match(next) || high.Match(next) {
			return true
		}
	}
	return false
}

// tree reads a value token by token, which is the one way to see members twice.
func tree(decoder *json.Decoder, depth int) (any, string) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err.Error()
	}
	opening, ok := token.(json.Delim)
	if !ok {
		return token, ""
	}
	if depth == 256 {
		return nil, "too deep"
	}
	object, list := map[string]any{}, []any{}
	for decoder.More() {
		name := ""
		if opening == '{' {
			token, err = decoder.Token()
			if err != nil {
				return nil, err.Error()
			}
			name, ok = token.(string)
			if _, twice := object[name]; twice || !ok {
				return nil, "a member twice, or without a name"
			}
		}
		value, reason := tree(decoder, depth+1)
		if reason != "" {
			return nil, reason
		}
		object[name] = value
		list = append(list, value)
	}
	_, err = decoder.Token()
	if err != nil {
		return nil, err.Error()
	}
	if opening == '{' {
		return object, ""
	}
	return list, ""
}

func badMessage(value any) string {
	m, ok := value.(map[string]any)
	if !ok {
		return "no object"
	}
	if twin(m, "jsonrpc", "id", "method", "params", "result", "error") {
		return "a member in another case"
	}
	if m["jsonrpc"] != "2.0" {
		return "not JSON-RPC"
	}
	switch m["id"].(type) {
	case nil, string, json.Number:
	default:
		return "the type of the id"
	}
	given, hasMethod := m["method"]
	_, hasResult := m["result"]
	_, hasError := m["error"]
	if !hasMethod {
		if !hasResult && !hasError {
			return "no method"
		}
		return ""
	}
	method, _ := given.(string)
	if method == "" || len(method) > 256 {
		return "the method"
	}
	params, _ := m["params"].(map[string]any)
	if twin(params, "name", "arguments", "uri", "_meta", "taskId", "cursor", "protocolVersion", "clientInfo") {
		return "a parameter in another case"
	}
	meta, _ := params["_meta"].(map[string]any)
	if twin(meta, metaPrefix+"protocolVersion", metaPrefix+"clientInfo", metaPrefix+"clientCapabilities") {
		return "a member of _meta in another case"
	}
	if task, given := params["taskId"]; given && strings.HasPrefix(method, "tasks/") {
		if text, _ := task.(string); text == "" {
			return "the type of the task's id"
		}
	}
	if method == "tools/call" {
		return badCall(params)
	}
	return ""
}

func badCall(params map[string]any) string {
	tool, _ := params["name"].(string)
	arguments, _ := params["arguments"].(map[string]any)
	if len(tool) > 256 {
		return "the length of the name"
	}
	if slices.Contains([]string{"execute", "executeread", "executewrite", "executedestructive"}, strings.ToLower(strings.ReplaceAll(tool, "\u017f", "s"))) {
		if twin(arguments, "name", "inputs") {
			return "an argument in another case"
		}
		tool, _ = arguments["name"].(string)
		arguments, _ = arguments["inputs"].(map[string]any)
	}
	if len(tool) > 256 {
		return "the length of the inner name"
	}
	if strings.EqualFold(tool, "fetch") && twin(arguments, "id") {
		return "an id in another case"
	}
	return ""
}

// twin reports whether a name is there in another case.
func twin(object map[string]any, names ...string) bool {
	for have := range object {
		for _, name := range names {
			if have != name && strings.EqualFold(have, name) {
				return true
			}
		}
	}
	return false
}

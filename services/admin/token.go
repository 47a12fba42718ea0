package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"os"
	"strings"

	"sallyport/services/internal/act"
)

const (
	// minToken is the least length of a token in characters.
	minToken = 32
	// onlyAdmin is the name of a token that has none.
	onlyAdmin = "admin"
)

// fileToken is one token of the token file, and who presents it. Comparing hashes takes the same
// time whatever is presented, of whatever length.
type fileToken struct {
	caller caller
	hash   [sha256.Size]byte
}

// fileTokens are all of them.
type fileTokens []fileToken

// readTokens reads the token file: one token, or one line "NAME TOKEN" or "NAME ROLE TOKEN" for each
// person or program, so that the history of the policy says who saved it. Without a role it is admin.
// Blanks around them and lines that begin with # don't count.
func readTokens(path string) (fileTokens, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("admin token: %w", err)
	}
	var tokens fileTokens
	for i, line := range strings.Split(string(content), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		token, err := readToken(fields)
		if err != nil {
			return nil, fmt.Errorf("admin token: line %d of %s %w", i+1, path, err)
		}
		tokens = append(tokens, token)
	}
	if len(tokens) == 0 {
		return nil, fmt.Errorf("admin token: %s holds none: fill it by `openssl rand -hex 32`", path)
	}
	return tokens, nil
}

// readToken reads the words of one line.
func readToken(words []string) (fileToken, error) {
	if len(words) > 3 {
		return fileToken{}, fmt.Errorf("has %d words: a line is a token, a name and a token, or a name, a role and a token", len(words))
	}
	who := caller{name: onlyAdmin, kind: act.TokenFile, role: admin}
	if len(words) > 1 {
		who.name = words[0]
	}
	if len(words) == 3 {
		who.role = roleNamed(words[1])
		if who.role == noRole {
			return fileToken{}, fmt.Errorf("has the role %q: it may be admin, auditor or viewer", words[1])
		}
	}
	token := words[len(words)-1]
	if len(token) < minToken {
		return fileToken{}, fmt.Errorf("has one of %d characters, and %d are the least: make one by `openssl rand -hex 32`", len(token), minToken)
	}
	return fileToken{who, sha256.Sum256([]byte(token))}, nil
}

// find returns who presents a token.
func (t fileTokens) find(token string) (caller, bool) {
	sum := sha256.Sum256([]byte(token))
	who, found := caller{}, false
	for _, known := range t {
		if subtle.ConstantTimeCompare(sum[:], known.hash[:]) == 1 {
			who, found = known.caller, true
		}
	}
	return who, found
}

// has reports whether a token of the file has a name.
func (t fileTokens) has(name string) bool {
	for _, known := range t {
		if known.caller.name == name {
			return true
		}
	}
	return false
}

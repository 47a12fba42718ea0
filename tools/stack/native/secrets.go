package native

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
)

// The secrets, each a file that only its owner can read.
const (
	sealKey    = "seal.key"
	adminToken = "admin.token"
	jiraToken  = "jira.token"
)

func (s Stack) secret(name string) string { return s.path("secrets", name) }

// makeSecrets makes the secrets at the first start and keeps them: what is sealed under the key is
// lost with it.
func (s Stack) makeSecrets() error {
	raw := make([]byte, 64)
	rand.Read(raw)
	return errors.Join(
		os.Chmod(s.path("secrets"), 0o700),
		keep(s.secret(sealKey), base64.StdEncoding.EncodeToString(raw[:32])),
		keep(s.secret(adminToken), base64.RawURLEncoding.EncodeToString(raw[32:])),
		keep(s.secret(jiraToken), standInToken),
	)
}

func keep(path, content string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return os.WriteFile(path, []byte(content+"\n"), 0o600)
}

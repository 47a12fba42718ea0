// Package nativetest finds the native programs that `make parts` fetched, for tests that run them,
// and addresses for them to listen at.
package nativetest

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// Parts are paths of native programs, as tools/stack writes them down in its cache; empty where
// there is none.
type Parts struct {
	RedisServer       string `json:"redis_server"`
	ElasticsearchHome string `json:"elasticsearch_home"`
	JavaHome          string `json:"java_home"`
}

// Find returns the fetched parts, of the first cache that has any.
func Find() Parts {
	var found Parts
	for _, dir := range caches() {
		text, err := os.ReadFile(filepath.Join(dir, "parts.json"))
		if err == nil && json.Unmarshal(text, &found) == nil {
			return found
		}
	}
	return Parts{}
}

// caches are the folders where the parts may be, in the order in which tools/stack looks.
func caches() []string {
	if dir := os.Getenv("SALLYPORT_CACHE"); dir != "" {
		return []string{dir}
	}
	var dirs []string
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		dirs = append(dirs, filepath.Join(dir, "sallyport"))
	}
	home, err := os.UserHomeDir()
	if err == nil {
		dirs = append(dirs, filepath.Join(home, ".cache", "sallyport"))
	}
	return append(dirs, "/var/cache/sallyport")
}

// FreeAddress is a loopback address that nothing listened at a moment ago.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

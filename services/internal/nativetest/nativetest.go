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

// Find returns the fetched parts.
func Find() Parts {
	var found Parts
	text, err := os.ReadFile(filepath.Join(Cache(), "parts.json"))
	if err != nil || json.Unmarshal(text, &found) != nil {
		return Parts{}
	}
	return found
}

// Cache is the folder that tools/stack fetches parts into: $SALLYPORT_CACHE, or the user's cache
// folder. Root's is elsewhere, since Elasticsearch runs as another user then.
func Cache() string {
	if dir := os.Getenv("SALLYPORT_CACHE"); dir != "" {
		return dir
	}
	if os.Geteuid() == 0 {
		return "/var/cache/sallyport"
	}
	// Without a home there is no such folder, and nothing in it.
	dir, _ := os.UserCacheDir()
	return filepath.Join(dir, "sallyport")
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

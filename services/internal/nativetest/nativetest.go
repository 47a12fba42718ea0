// Package nativetest finds the native programs that `make parts` fetched, for tests that run them,
// and addresses for them to listen at.
package nativetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// Parts are paths of native programs, as tools/stack writes them down in its cache; empty where
// there is none.
type Parts struct {
	Envoy             string `json:"envoy"`
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

// Ports that tests listen at. They are below those that systems give to connections and to listeners
// of port 0 (32768 and up on Linux, RFC 6335 names 49152), so that none of either takes one between
// its being found free and its being used. The native stacks are at 8800 and 19800.
const (
	firstPort = 20000
	lastPort  = 32000
	// portTries is how many ports are tried before giving up.
	portTries = 100
)

// FreeAddress is a loopback address, at random among those that nothing listens at.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range portTries {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(lastPort-firstPort)) //nolint:gosec // a port is no secret
		listener, err := net.Listen("tcp", address)
		if err == nil {
			listener.Close()
			return address
		}
	}
	t.Fatalf("none of %d ports between %d and %d is free", portTries, firstPort, lastPort)
	return ""
}

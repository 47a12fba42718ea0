// Package nativetest finds the native programs that `make parts` fetched, for tests that run them,
// and addresses for them to listen at.
package nativetest

import (
	"encoding/json"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
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

// taken are the locks of the ports that this process was given. They hold until it ends.
var (
	locks sync.Mutex
	taken []*os.File
)

// FreeAddress is a loopback address, at random among those that nothing listens at. It is given once: to no
// other caller while this process lives, of whatever process.
func FreeAddress(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "sallyport-ports")
	err := os.MkdirAll(dir, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	for range portTries {
		port := firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // a port is no secret
		lock, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(port)), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil || !isFree(address) {
			lock.Close()
			continue
		}
		locks.Lock()
		taken = append(taken, lock)
		locks.Unlock()
		return address
	}
	t.Fatalf("none of %d ports between %d and %d is free", portTries, firstPort, lastPort)
	return ""
}

func isFree(address string) bool {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	listener.Close()
	return true
}

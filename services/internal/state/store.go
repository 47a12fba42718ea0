// Package state is what must be true now, kept in Redis: registrations, grants and their tokens,
// people's Atlassian tokens and groups, the policy, and the activity stream. What has to be read
// and written in one step is a Redis function in functions/.
//
// All keys carry the hash tag {sallyport}, so that on a Redis Cluster the functions find them on
// one node: a cluster takes over where that node fails, and isn't faster than one Redis.
package state

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed functions
var functionFiles embed.FS

// functions is the text of the functions: one library, of which each file is a part. What a file uses of
// another stands in one before it.
var functions = readFunctions("library", "stream", "decide", "policy", "access", "upstream", "groups", "grant", "observe", "limit", "follow", "process")

func readFunctions(names ...string) string {
	var library strings.Builder
	for _, name := range names {
		text, _ := functionFiles.ReadFile("functions/" + name + ".lua") // it is part of the program
		library.Write(text)
	}
	return library.String()
}

// library is the name of the functions in Redis. It is another one for each text of them, so that
// old and new replicas run side by side during an upgrade, each with its own.
var library = "sallyport_" + TokenHash(functions)[:8]

// ErrNotFound means that there is no such value, or no longer.
var ErrNotFound = errors.New("not found")

const prefix = "{sallyport}:"

// Store reads and writes the state. It is safe for concurrent use.
type Store struct {
	redis redis.UniversalClient
	// probe is for questions whether Redis is there, which don't wait for it.
	probe redis.UniversalClient
	// replicas is how many have to have a change before it is answered.
	replicas int
	recent   recent
	// stop ends watch, and stopped is closed when that has ended.
	stop    context.CancelFunc
	stopped chan struct{}
}

// Close closes the connections.
func (s *Store) Close() error {
	s.stop()
	<-s.stopped
	return errors.Join(s.redis.Close(), s.probe.Close())
}

// Ready returns an error where Redis doesn't answer, or takes no writes since it is a replica, without waiting for it to
// come back.
func (s *Store) Ready(ctx context.Context) error {
	err := s.look(ctx, s.probe)
	if err != nil {
		return fmt.Errorf("Redis doesn't answer: %w", err)
	}
	return nil
}

// call runs a function of the library and loads the library where Redis doesn't have it: at the
// first call, after its data was lost, or where another node of a cluster has the keys now. Every service
// carries the library, and the same one, so it doesn't matter who loads it.
func (s *Store) call(ctx context.Context, function string, keys []string, args ...any) ([]any, error) {
	return s.callOn(ctx, s.redis, function, keys, args...)
}

// callOn is call by a client, or by one connection.
func (s *Store) callOn(ctx context.Context, on redis.Cmdable, function string, keys []string, args ...any) ([]any, error) {
	function = strings.Replace(function, "sallyport", library, 1)
	reply, err := on.FCall(ctx, function, keys, args...).Slice()
	if err != nil && strings.Contains(err.Error(), "Function not found") {
		loading := s.load(ctx, on)
		reply, err = on.FCall(ctx, function, keys, args...).Slice()
		if err != nil && loading != nil {
			return nil, fmt.Errorf("loading the functions into Redis: %w", loading)
		}
	}
	if err != nil {
		s.recent.notice()
		return nil, fmt.Errorf("Redis function %s: %w", function, err)
	}
	return reply, nil
}

// load loads the library: into each primary of a cluster, since one may be about to get the keys. What is there
// already is the same, by its name, and isn't replaced: it remembers what it has appended to (stream.lua).
func (s *Store) load(ctx context.Context, on redis.Cmdable) error {
	load := func(ctx context.Context, on redis.Cmdable) error {
		err := on.FunctionLoad(ctx, strings.ReplaceAll(functions, "sallyport", library)).Err()
		if err != nil && strings.Contains(err.Error(), "already exists") {
			return nil
		}
		return err
	}
	cluster, ok := s.redis.(*redis.ClusterClient)
	if !ok {
		return load(ctx, on)
	}
	return cluster.ForEachMaster(ctx, func(ctx context.Context, primary *redis.Client) error { return load(ctx, primary) })
}

// TokenHash is how tokens and codes are known to Redis: SHA-256 in hexadecimal, never in clear.
func TokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func sessionKey(tokenHash string) string  { return prefix + "session:" + tokenHash }
func grantKey(id string) string           { return prefix + "grant:" + id }
func groupsKey(accountID string) string   { return prefix + "groups:" + accountID }
func upstreamKey(accountID string) string { return prefix + "upstream:" + accountID }
func grantsKey(accountID string) string   { return prefix + "grants:" + accountID }
func emailKey(email string) string        { return prefix + "email:" + strings.ToLower(email) }

// emailsKey are the keys of the e-mail addresses that a person has signed in with.
func emailsKey(accountID string) string { return prefix + "emails:" + accountID }

// consentKey are the assistants that a person has consented to.
func consentKey(accountID string) string { return prefix + "consent:" + accountID }

func registrationKey(id string) string    { return prefix + "registration:" + id }
func signInKey(stateHash string) string   { return prefix + "sign-in:" + stateHash }
func codeKey(codeHash string) string      { return prefix + "code:" + codeHash }
func usedCodeKey(codeHash string) string  { return prefix + "used-code:" + codeHash }
func refreshKey(familyHash string) string { return prefix + "refresh:" + familyHash }
func firstLinkKey(hash string) string     { return prefix + "first-link:" + hash }
func boundKey(hash string) string         { return prefix + "bound:" + hash }
func lockKey(name string) string          { return prefix + "lock:" + name }
func documentKey(clientID string) string  { return prefix + "document:" + TokenHash(clientID) }
func browserKey(cookieHash string) string { return prefix + "browser:" + cookieHash }
func limitKey(name, source string) string { return prefix + "limit:" + name + ":" + source }
func upstreamClientKey(issuer, callback string) string {
	return prefix + "upstream-client:" + TokenHash(issuer+" "+callback)
}

const (
	policyKey          = prefix + "policy"
	policyHistoryKey   = prefix + "policy-history"
	policyDocumentsKey = prefix + "policy-documents"
	streamKey          = prefix + "activity"
	// processKey has which process of Redis appended to the stream last.
	processKey = prefix + "activity-process"
	rolesKey   = prefix + "roles"
	// apiTokenPrefix is what the keys of API tokens begin with, before the token's hash; apiTokenNamesKey
	// has the hash of each name's last token.
	apiTokenPrefix   = prefix + "api-token:"
	apiTokenNamesKey = prefix + "api-token-names"
	// groupsDueKey and groupsWatchedKey are sorted sets of account ids, by when their groups are due to
	// be learned, and until when that goes on; Unix milliseconds.
	groupsDueKey      = prefix + "groups-due"
	groupsWatchedKey  = prefix + "groups-watched"
	groupsPauseKey    = prefix + "groups-pause"
	documentsPauseKey = prefix + "documents-pause"
	// connectionsKey is a sorted set of the ids of all grants, by when they were created; Unix milliseconds.
	connectionsKey = prefix + "connections"
)

// pairs turns the flat list of a hash's fields and values, as functions return it, into a map.
func pairs(flat any) map[string]string {
	list, _ := flat.([]any)
	fields := make(map[string]string, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		key, _ := list[i].(string)
		value, _ := list[i+1].(string)
		fields[key] = value
	}
	return fields
}

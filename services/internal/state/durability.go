package state

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Durability is what Redis says of how it keeps what it is told, and whether it has room for more.
type Durability struct {
	// AppendOnly says that it keeps an append-only file. Without one, what it was told is lost when it ends.
	AppendOnly bool
	// WriteFailed says that the last write to that file, or the last time that it was written anew, failed.
	WriteFailed bool
	// Fsync is its appendfsync; empty where it doesn't tell.
	Fsync string
	// Eviction is its maxmemory-policy: with any but noeviction it drops state where there is no room.
	Eviction string
	// Alone says that there is no replica, where one has to take over when Redis fails.
	Alone bool
	// Used and Max are the bytes that it uses, and that it may; Max is 0 where there is no limit.
	Used, Max int64
}

// Durability asks Redis how it keeps what it is told.
func (s *Store) Durability(ctx context.Context) (Durability, error) {
	node, err := s.node(ctx)
	if err != nil {
		return Durability{}, fmt.Errorf("finding Redis: %w", err)
	}
	info, err := node.Info(ctx, "persistence", "memory", "replication").Result()
	if err != nil {
		return Durability{}, fmt.Errorf("reading what Redis says of itself: %w", err)
	}
	d := readDurability(info)
	d.Alone = d.Alone && s.replicas > 0
	// Where somebody else runs Redis, CONFIG is mostly not allowed.
	settings, err := node.ConfigGet(ctx, "appendfsync").Result()
	if err == nil {
		d.Fsync = settings["appendfsync"]
	}
	return d, nil
}

// readDurability reads the answer to INFO: lines of a name, a colon and a value.
func readDurability(info string) Durability {
	said := map[string]string{}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		said[name] = value
	}
	d := Durability{
		AppendOnly:  said["aof_enabled"] == "1",
		WriteFailed: said["aof_last_write_status"] == "err" || said["aof_last_bgrewrite_status"] == "err",
		Eviction:    said["maxmemory_policy"],
		Alone:       said["connected_slaves"] == "0",
	}
	d.Used, _ = strconv.ParseInt(said["used_memory"], 10, 64)
	d.Max, _ = strconv.ParseInt(said["maxmemory"], 10, 64)
	return d
}

package admin

import (
	"context"
	"fmt"
	"time"

	"sallyport/services/internal/state"
)

// memoryShare is how much of the memory that Redis may use is full enough to say so: it refuses to be told more
// at the limit, and then every call is refused.
const memoryShare = 0.9

func askRedis(store *state.Store) func(context.Context) verdict {
	return func(ctx context.Context) verdict {
		err := store.Ready(ctx)
		if err != nil {
			return verdict{state: down, fault: fmt.Sprintf("Redis doesn't answer: %s.", cause(err)), remedy: "Start it again: every call is refused until then."}
		}
		v := verdict{state: ready}
		keeps, err := store.Durability(ctx)
		if err == nil {
			v = keeping(keeps)
		}
		at, err := store.Now(ctx)
		if err == nil {
			v.at, v.asked = at, time.Now()
		}
		return v
	}
}

// keeping judges how Redis keeps what it is told: rules, sign-ins, and records that aren't indexed yet.
func keeping(d state.Durability) verdict {
	v := verdict{state: degraded}
	switch {
	case !d.AppendOnly:
		v.fault = "Redis has no append-only file: rules, sign-ins and records that aren't indexed yet are lost when it ends."
		v.remedy = "Run `redis-cli CONFIG SET appendonly yes` now, and start it with `--appendonly yes` from now on."
	case d.WriteFailed:
		v.fault = "Redis couldn't write its append-only file the last time: what it was told since is lost when it ends."
		v.remedy = "Make room on its disk, or mend that, and look into its log; `redis-cli INFO persistence` says `aof_last_write_status:ok` once it writes again."
	case d.Fsync == "no":
		v.fault = "Redis leaves it to the kernel when its append-only file reaches the disk: half a minute of rules, sign-ins and records may be lost with the machine."
		v.remedy = "Run `redis-cli CONFIG SET appendfsync everysec` now, and start it with `--appendfsync everysec` from now on."
	case d.Eviction != "" && d.Eviction != "noeviction":
		v.fault = fmt.Sprintf("Redis drops what it holds where its memory is full (maxmemory-policy %s): sign-ins, rules and records would vanish.", d.Eviction)
		v.remedy = "Run `redis-cli CONFIG SET maxmemory-policy noeviction` now, and start it with `--maxmemory-policy noeviction` from now on."
	case d.Max > 0 && float64(d.Used) > memoryShare*float64(d.Max):
		v.fault = fmt.Sprintf("Redis uses %s of the %s that it may; at the limit every call is refused.", bytesText(d.Used), bytesText(d.Max))
		v.remedy = "Give it more memory (`--maxmemory`); if `sallyport status` says that records wait, bring Elasticsearch back first."
	case d.Alone:
		v.fault = "Redis has no replica: nobody takes over when it fails, and no change is certain to survive that."
		v.remedy = "Start its replicas again; `redis-cli INFO replication` says `connected_slaves:1` or more once they follow."
	default:
		v.state = ready
	}
	return v
}

// bytesText is a number of bytes as people read it.
func bytesText(n int64) string {
	const kib, mib, gib = 1 << 10, 1 << 20, 1 << 30
	switch {
	case n >= gib:
		return fmt.Sprintf("%.1f GiB", float64(n)/gib)
	case n >= mib:
		return fmt.Sprintf("%.0f MiB", float64(n)/mib)
	}
	return fmt.Sprintf("%.0f KiB", float64(n)/kib)
}

package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

type flags struct {
	Fault  []string      `help:"Only this fault; may be given several times." placeholder:"NAME"`
	Runs   int           `help:"How often each fault is done." default:"1"`
	Seed   uint64        `help:"The moments of the faults follow from it; run N has the seed plus N-1. Left out, one is made up and printed." placeholder:"NUMBER"`
	Rate   int           `help:"Calls a second." default:"200"`
	Away   time.Duration `help:"How long Elasticsearch is away in the fault of that name." default:"2m" env:"CHAOS_AWAY"`
	Before string        `help:"Top of a built work tree of another version, which the fault rolling upgrades from." placeholder:"FOLDER" type:"existingdir"`
	Quick  bool          `help:"Each fault as short as it shows something: for a look after a change."`
	Fsync  string        `help:"Redis' appendfsync: ${enum}. What a killed Redis loses hangs on it." enum:"everysec,always,no" default:"everysec"`
	Dir    string        `help:"Folder for logs. It is emptied first." default:".run/chaos" type:"path"`
	JSON   bool          `name:"json" help:"The results as JSON."`
}

// Validate is called by kong.
func (f *flags) Validate() error {
	for i, name := range f.Fault {
		if faultNamed(name) == nil {
			return fmt.Errorf("--fault %s: the faults are %s", name, faultNames())
		}
		if slices.Contains(f.Fault[:i], name) {
			return fmt.Errorf("--fault %s is there twice, and both would make the same calls: say --runs 2", name)
		}
	}
	if f.Runs < 1 || f.Rate < 1 || f.Rate > 2000 || f.Away < time.Second {
		return fmt.Errorf("--runs is from 1, --rate from 1 to 2000 and --away from 1s")
	}
	return nil
}

// window is how long parts are killed in, and how long other faults but the one of Elasticsearch last.
func (f *flags) window() time.Duration {
	if f.Quick {
		return 8 * time.Second
	}
	return 40 * time.Second
}

// away is how long Elasticsearch is away.
func (f *flags) away() time.Duration {
	if f.Quick {
		return min(f.Away, f.window())
	}
	return f.Away
}

// rolling is for how long everything is restarted again and again, 0 for once, which takes about five minutes.
func (f *flags) rolling() time.Duration {
	if f.Quick {
		return 0
	}
	return 5 * time.Minute
}

func (f *flags) seed() uint64 {
	return cmp.Or(f.Seed, uint64(time.Now().UnixMilli()%1_000_000))
}

// chosen are the faults to do.
func (f *flags) chosen() []fault {
	if len(f.Fault) == 0 {
		return faults
	}
	var some []fault
	for _, name := range f.Fault {
		some = append(some, *faultNamed(name))
	}
	return some
}

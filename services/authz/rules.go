package authz

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"sallyport/services/internal/state"
	"sallyport/services/policy"
)

// ruleset is one version of the policy, compiled. Its engine is nil for version 0: without a
// policy nothing is allowed.
type ruleset struct {
	version int64
	// mark tells it from one of the same version that Redis has lost.
	mark   string
	engine *policy.Engine
}

// is tells whether it is made of a policy.
func (r *ruleset) is(p state.Policy) bool { return r.version == p.Version && r.mark == p.Mark }

// rules holds the newest ruleset that this replica has seen.
type rules struct {
	current atomic.Pointer[ruleset]
	// compiling lets one call compile a new version while the others wait for it.
	compiling sync.Mutex
	log       *slog.Logger
}

func newRules(log *slog.Logger) *rules {
	r := &rules{log: log}
	r.current.Store(&ruleset{})
	return r
}

// renew compiles the policy that Redis says is in force, if it is another one. Where it can't be
// compiled the old one stays, but decides nothing: Redis refuses decisions of an old version.
func (r *rules) renew(p state.Policy) error {
	r.compiling.Lock()
	defer r.compiling.Unlock()
	if r.current.Load().is(p) {
		return nil
	}
	if p.Version == 0 {
		r.current.Store(&ruleset{})
		return nil
	}
	var document policy.Policy
	err := json.Unmarshal(p.Document, &document)
	if err != nil {
		return fmt.Errorf("policy version %d: %w", p.Version, err)
	}
	engine, err := policy.Compile(&document)
	if err != nil {
		return fmt.Errorf("policy version %d: %w", p.Version, err)
	}
	r.current.Store(&ruleset{p.Version, p.Mark, engine})
	r.log.Info("another policy is in force", "version", p.Version)
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/oauth2"

	"sallyport/tools/signin"
	"sallyport/tools/site"
	"sallyport/tools/stack/native"
	"sallyport/tools/stack/parts"
)

// The ports of the first stack that is tried, and of the last, and after how many of them come those of the
// benchmark itself.
const (
	firstBase, lastBase native.Ports = 21800, 22700
	ownPorts                         = 50
)

// result is one measurement of one arm.
type result struct {
	Shape shape  `json:"shape"`
	Arm   string `json:"arm"`
	Round int    `json:"round"`
	// Load is "steady" or "saturated".
	Load string `json:"load"`
	measured
	// CPU is milliseconds of a core for a call, and Memory MiB at the end, by process.
	CPU    map[string]float64 `json:"cpu_ms"`
	Memory map[string]float64 `json:"memory_mib"`
}

// bench is one run of the benchmark.
type bench struct {
	flags
	root     string
	progress io.Writer
	started  time.Time

	stack native.Stack
	site  *site.Site
	token oauth2.TokenSource
	// ports are those of the arms, and of the MCP server and the service that does nothing.
	ports map[string]int
	// own are the processes that the benchmark started, beside the stack.
	own  processes
	host string
	// rules is how many rules the policy in force has.
	rules int
}

// say writes a line of progress.
func (b *bench) say(format string, values ...any) {
	fmt.Fprintf(b.progress, "%6.0f s  "+format+"\n", append([]any{time.Since(b.started).Seconds()}, values...)...)
}

// run measures everything, and stops all that it started.
func (b *bench) run(ctx context.Context) (results []result, err error) {
	defer func() { err = errors.Join(err, b.close()) }()
	err = b.open(ctx)
	if err != nil {
		return nil, err
	}
	all, taking := b.Run.shapes(), b.Run.arms()
	b.say("%d shapes of calls, %d arms, %d rounds: about %s", len(all), len(taking), b.Run.Rounds,
		(time.Duration(len(all)*len(taking)*b.Run.Rounds) * (2*b.Run.Each + 2*time.Second)).Round(time.Minute))
	for _, s := range all {
		for round := range b.Run.Rounds {
			for _, a := range taking {
				some, err := b.measure(ctx, a, s, round+1)
				if err != nil {
					return results, fmt.Errorf("arm %s, %s: %w", a.name, s, err)
				}
				results = append(results, some...)
			}
		}
		b.say("%s is measured", s)
	}
	return results, nil
}

// measure measures an arm once: at a fixed rate, and at the most it can do.
func (b *bench) measure(ctx context.Context, a arm, s shape, round int) ([]result, error) {
	if a.whole() && a.rules != b.rules {
		err := b.site.Apply(ctx, policyOf(a.rules))
		if err != nil {
			return nil, err
		}
		b.rules = a.rules
	}
	token, err := b.token.Token()
	if err != nil {
		return nil, err
	}
	c := callOf(fmt.Sprintf("http://127.0.0.1:%d/mcp", b.ports[a.name]), b.host, token.AccessToken, s.Size, s.Stream)
	switch {
	case a.peer != "":
		c.token = opaAllowed
		err = opaDecides(ctx, c)
	case a.script != "":
		c.host = fmt.Sprintf("127.0.0.1:%d", b.ports[a.name])
		c, err = gatewayDecides(ctx, c)
	}
	if err == nil {
		err = c.once(ctx)
	}
	if err != nil {
		return nil, err
	}
	var results []result
	for _, load := range []struct {
		name string
		do   func() (measured, error)
	}{
		{"steady", func() (measured, error) { return steady(ctx, c, b.Run.Rate, b.Run.Each) }},
		{"saturated", func() (measured, error) { return saturated(ctx, c, b.Many, b.Run.Each) }},
	} {
		r := result{Shape: s, Arm: a.name, Round: round, Load: load.name, CPU: map[string]float64{}, Memory: map[string]float64{}}
		before, err := b.usage(ctx)
		if err == nil {
			err = b.apart(ctx, a, func() error {
				return b.profile(ctx, a, s, load.name, func() (err error) { r.measured, err = load.do(); return err })
			})
		}
		if err != nil {
			return results, err
		}
		// What is left to be indexed belongs to these calls, and must not slow down the next.
		err = b.settled(ctx)
		if err != nil {
			return results, err
		}
		after, err := b.usage(ctx)
		if err != nil {
			return results, err
		}
		for name, used := range after {
			r.CPU[name] = (used.CPU - before[name].CPU) * 1000 / float64(r.Calls)
			r.Memory[name] = float64(used.Memory) / (1 << 20)
		}
		results = append(results, r)
	}
	return results, nil
}

// apart does something while Elasticsearch stands still, where an arm has it so.
func (b *bench) apart(ctx context.Context, a arm, do func() error) error {
	if !a.apart {
		return do()
	}
	pids, err := b.stack.PIDs(ctx)
	if err != nil {
		return err
	}
	err = syscall.Kill(pids["elasticsearch"], syscall.SIGSTOP)
	if err != nil {
		return fmt.Errorf("having Elasticsearch stand still: %w", err)
	}
	return errors.Join(do(), syscall.Kill(pids["elasticsearch"], syscall.SIGCONT))
}

// usage is what each process has used.
func (b *bench) usage(ctx context.Context) (map[string]usage, error) {
	pids, err := b.stack.PIDs(ctx)
	if err != nil {
		return nil, err
	}
	maps.Copy(pids, b.own.pids())
	pids["load"] = os.Getpid()
	all, err := usageOf(pids)
	if err != nil {
		return nil, err
	}
	for _, a := range b.Run.arms() {
		if a.script != "" {
			all[a.process()], err = usageOfFamily(pids[a.process()])
			if err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// policyOf is a policy in which so many rules don't match the calls, and the last allows them.
func policyOf(rules int) string {
	var text strings.Builder
	text.WriteString("default: deny\nrules:\n")
	for i := range rules - 1 {
		fmt.Fprintf(&text, "  - {who: 'group:team-%d', operation: 'delete*', effect: deny, note: Team %d deletes nothing}\n", i, i)
	}
	text.WriteString("  - {operation: '*', effect: allow}\n")
	return text.String()
}

// names are what has a port of its own beside the stack: arms, and the services that they ask.
func (b *bench) names() []string {
	all := []string{"a", "b", "c", "noop", "upstream"}
	if b.Run.OPA != "" {
		all = append(all, "opa", "opa ext_authz", "opa HTTP")
	}
	replicas := 0
	for _, a := range b.Run.arms() {
		if a.script != "" {
			all = append(all, a.name)
		}
		if a.replicas > 0 {
			all, replicas = append(all, a.name), max(replicas, a.replicas)
		}
	}
	for n := 2; n <= replicas; n++ {
		all = append(all, replicaName(n), replicaName(n)+" ops")
	}
	return all
}

// open starts a Sallyport, puts the Envoy with all arms in the place of its Envoy, and signs a person in.
func (b *bench) open(ctx context.Context) error {
	err := os.RemoveAll(b.Dir)
	if err == nil {
		err = os.MkdirAll(b.Dir, 0o755)
	}
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(b.Dir, "bench.log"))
	if err != nil {
		return err
	}
	b.own.log = log
	names := b.names()
	var offsets []int
	for i := range names {
		offsets = append(offsets, ownPorts+i)
	}
	base, err := native.FreePorts(firstBase, lastBase, offsets...)
	if err != nil {
		return err
	}
	b.stack = native.Stack{Root: b.root, RunDir: filepath.Join(b.Dir, "stack"), Ports: base, SameSession: true, Profiles: b.Run.Profiles, Out: log}
	b.ports = map[string]int{}
	for _, a := range arms {
		if !a.ownListener() {
			b.ports[a.name] = int(base)
		}
	}
	for i, name := range names {
		b.ports[name] = int(base) + offsets[i]
	}
	b.stack.Atlassian, err = native.StandIn(base).WithUpstream(fmt.Sprintf("http://127.0.0.1:%d/mcp", b.ports["upstream"]))
	if err != nil {
		return err
	}
	b.stack.Parts, err = parts.Ensure(ctx, b.progress)
	if err != nil {
		return err
	}
	b.say("Starting a Sallyport")
	err = b.stack.Preflight()
	if err == nil {
		err = b.stack.Up(ctx)
	}
	if err != nil {
		return err
	}
	b.site, err = site.Read(b.root, b.stack.RunDir)
	if err != nil {
		return err
	}
	err = b.startOwn(ctx)
	if err != nil {
		return err
	}
	b.token, err = signin.In(ctx, b.site.MCPURL, "Sallyport bench", "ana@acme.test")
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	return nil
}

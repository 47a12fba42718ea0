package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

const about = `Measures what Sallyport adds to a call. One Envoy has a listener for each arm, and the arms take turns: Envoy alone (a), with an access log (b), with an ext_authz service that allows everything (c), and Sallyport whole with 10 and 1,000 rules (d, d1000; d100 if it is asked for), and with 10 while Elasticsearch stands still (e). With --opa, opa-envoy-plugin takes turns too, as the ext_authz service with the same 10 rules in Rego (tools/bench/opa). With --gateway, another gateway takes turns as an arm of its own, with calls going to it in place of Envoy (tools/bench/gateways). The arms d2 and d4 are d with two and four processes of authz. Everything is on this machine's loopback, and shares its cores with what measures. It needs what make build makes, and a machine that does nothing else.

Examples:
  bench                                   # everything, about half an hour
  bench --sizes 4096 --no-stream          # one size of body
  bench --each 3s --rounds 1 --arms c,d   # for a look after a change
  bench --opa ./opa-envoy-plugin          # that program beside Sallyport
  bench --gateway toolhive=tools/bench/gateways/toolhive/start.sh --rate 200
                                          # that gateway beside Sallyport
  bench --arms d,d2,d4 --no-stream        # more processes of authz
  bench --profiles --arms d --rounds 1    # and what authz and accesslog do meanwhile
  bench --json > before.json

Exit codes: 0 measured, 1 where something grew or failed during a soak, 2 for a command line that isn't understood, 3 where it can't be measured.`

type flags struct {
	Many int    `help:"How many assistants call at once for the most calls a second." default:"32"`
	Dir  string `help:"Folder for what runs, and its logs. It is emptied first." default:".run/bench" type:"path"`
	JSON bool   `name:"json" help:"The results as JSON."`

	Run      run   `cmd:"" default:"withargs" help:"Measure what is added to a call (the default)."`
	Soak     soak  `cmd:"" help:"Call for a long time, while all that changes is changed, and see what grows."`
	Upstream serve `cmd:"" hidden:""`
	Noop     serve `cmd:"" hidden:""`
}

// Validate is called by kong.
func (f *flags) Validate() error {
	if f.Many < 1 {
		return errors.New("--many is from 1")
	}
	return nil
}

type run struct {
	Rate     int               `help:"Calls a second where the rate is fixed." default:"500"`
	Each     time.Duration     `help:"How long each arm is measured in each round." default:"10s"`
	Arms     []string          `help:"Which arms take turns." default:"a,b,c,d,e,d1000" enum:"a,b,c,d,e,d100,d1000,d2,d4" placeholder:"ARM"`
	OPA      string            `name:"opa" help:"The program opa-envoy-plugin, to have it take turns as the arm opa." type:"existingfile" placeholder:"FILE"`
	Gateway  map[string]string `help:"A gateway that takes turns as the arm NAME, and the script that starts it. Can be repeated." placeholder:"NAME=SCRIPT"`
	Profiles bool              `help:"Take profiles of authz and accesslog in Sallyport's arms, for go tool pprof: CPU, allocations and waiting for locks, into the folder profiles of --dir, those of the last round. What is measured beside them is slower for it."`
	Rounds   int               `help:"How often the arms take turns." default:"3"`
	Sizes    []int             `help:"Bytes of a call's body, and of its answer." default:"300,4096,65536" placeholder:"BYTES"`
	Stream   bool              `help:"Measure answers as streams (SSE), too." default:"true" negatable:""`
}

// serve is a server that the benchmark starts as a process of its own.
type serve struct {
	Listen string `required:"" help:"Where it listens."`
}

// Validate is called by kong.
func (r *run) Validate() error {
	if r.Rate < 1 || r.Each < time.Second || r.Rounds < 1 {
		return fmt.Errorf("--rate and --rounds are from 1, and --each from 1s")
	}
	for name, script := range r.Gateway {
		err := r.readGateway(name, script)
		if err != nil {
			return err
		}
	}
	for _, size := range r.Sizes {
		if size < 300 || size > 1<<20 {
			return fmt.Errorf("--sizes %d: a body has from 300 bytes to 1 MiB", size)
		}
	}
	return nil
}

// gatewayName is what a gateway's arm can be called.
var gatewayName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// readGateway makes the path of a gateway's script absolute.
func (r *run) readGateway(name, script string) error {
	if !gatewayName.MatchString(name) || slices.ContainsFunc(arms, func(a arm) bool { return a.name == name }) {
		return fmt.Errorf("--gateway %s=%s: a name is of small letters, digits and -, and no other arm's", name, script)
	}
	path, err := filepath.Abs(script)
	if err != nil {
		return fmt.Errorf("--gateway %s=%s: %w", name, script, err)
	}
	file, err := os.Stat(path)
	if err != nil || file.IsDir() || file.Mode()&0o111 == 0 {
		return fmt.Errorf("--gateway %s=%s: there is no such file that can be executed", name, script)
	}
	r.Gateway[name] = path
	return nil
}

// shape is what the calls of a measurement are like.
type shape struct {
	Size   int  `json:"size"`
	Stream bool `json:"stream"`
}

func (s shape) String() string {
	kind := "JSON"
	if s.Stream {
		kind = "SSE"
	}
	return fmt.Sprintf("%d B, %s", s.Size, kind)
}

// arms are those to measure, gateways last.
func (r *run) arms() []arm {
	some := slices.DeleteFunc(slices.Clone(arms), func(a arm) bool {
		return !slices.Contains(r.Arms, a.name) && (a.peer == "" || r.OPA == "")
	})
	for _, name := range slices.Sorted(maps.Keys(r.Gateway)) {
		some = append(some, arm{name: name, about: "a gateway beside it, " + r.Gateway[name], script: r.Gateway[name]})
	}
	return some
}

// shapes are those to measure: each size with JSON, the one in the middle also with SSE.
func (r *run) shapes() []shape {
	var all []shape
	for i, size := range r.Sizes {
		all = append(all, shape{Size: size})
		if r.Stream && i == len(r.Sizes)/2 {
			all = append(all, shape{Size: size, Stream: true})
		}
	}
	return all
}

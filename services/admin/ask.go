package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

const (
	ready    = adminv1.PartState_PART_STATE_READY
	degraded = adminv1.PartState_PART_STATE_DEGRADED
	down     = adminv1.PartState_PART_STATE_DOWN
)

// maxReason is how many bytes of a part's own words are passed on.
const maxReason = 300

// A verdict is how a part is.
type verdict struct {
	state adminv1.PartState
	// fault is what is wrong and remedy what to do, each as sentences; empty where the part is ready.
	fault, remedy string
	// at is its own time, and asked when it told that; zero where it doesn't tell.
	at, asked time.Time
}

// part is the verdict as the API has it.
func (v verdict) part(name string) *adminv1.Part {
	p := &adminv1.Part{Name: name, State: v.state, Detail: strings.TrimSpace(v.fault + " " + v.remedy), Remedy: v.remedy}
	if !v.at.IsZero() {
		p.ClockAhead = durationpb.New(v.at.Sub(v.asked))
	}
	return p
}

// askHTTP asks a readiness endpoint: 200 is ready, any other answer says in its body why not.
func askHTTP(client *http.Client, name, base, path string) func(context.Context) verdict {
	address := strings.TrimSuffix(base, "/") + path
	return func(ctx context.Context) verdict {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return verdict{state: down, fault: fmt.Sprintf("%s can't be asked at %s: %v.", name, address, err)}
		}
		response, err := client.Do(request)
		if err != nil {
			return verdict{state: down, fault: fmt.Sprintf("%s doesn't answer at %s: %s.", name, address, cause(err)), remedy: "Start it, and look into its log if it ends again."}
		}
		defer response.Body.Close()
		v := verdict{state: ready, asked: time.Now()}
		// It tells whole seconds: the zero time where it tells none.
		v.at, _ = http.ParseTime(response.Header.Get("Date"))
		reason, err := io.ReadAll(io.LimitReader(response.Body, maxReason))
		switch {
		case err != nil:
			v.state, v.fault, v.remedy = degraded, fmt.Sprintf("%s broke off its answer at %s.", name, address), "Look into its log."
		case response.StatusCode != http.StatusOK:
			v.state, v.fault = degraded, fmt.Sprintf("%s runs, but isn't ready: %s.", name, strings.TrimRight(strings.TrimSpace(string(reason)), "."))
			v.remedy = "Put that right: it becomes ready by itself then."
		}
		return v
	}
}

// cause is why a part didn't answer, without the address and the layers that errors carry.
func cause(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fmt.Sprintf("no answer within %v", askTimeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there"
	}
	return err.Error()
}

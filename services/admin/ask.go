package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/elastic"
	"sallyport/services/internal/state"
)

const (
	ready    = adminv1.PartState_PART_STATE_READY
	degraded = adminv1.PartState_PART_STATE_DEGRADED
	down     = adminv1.PartState_PART_STATE_DOWN
)

// maxReason is how many bytes of a part's own words are passed on.
const maxReason = 300

// askHTTP asks a readiness endpoint: 200 is ready, any other answer says in its body why not.
func askHTTP(client *http.Client, name, base, path string) func(context.Context) (adminv1.PartState, string) {
	address := strings.TrimSuffix(base, "/") + path
	return func(ctx context.Context) (adminv1.PartState, string) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return down, fmt.Sprintf("%s can't be asked at %s: %v.", name, address, err)
		}
		response, err := client.Do(request)
		if err != nil {
			return down, fmt.Sprintf("%s doesn't answer at %s: %s. Start it, and look into its log if it ends again.", name, address, cause(err))
		}
		defer response.Body.Close()
		reason, err := io.ReadAll(io.LimitReader(response.Body, maxReason))
		if err != nil {
			return degraded, fmt.Sprintf("%s broke off its answer at %s. Look into its log.", name, address)
		}
		if response.StatusCode != http.StatusOK {
			return degraded, fmt.Sprintf("%s runs, but isn't ready: %s. It becomes ready by itself once that is put right.", name, strings.TrimRight(strings.TrimSpace(string(reason)), "."))
		}
		return ready, ""
	}
}

func askRedis(store *state.Store) func(context.Context) (adminv1.PartState, string) {
	return func(ctx context.Context) (adminv1.PartState, string) {
		err := store.Ready(ctx)
		if err != nil {
			return down, fmt.Sprintf("Redis doesn't answer: %s. Every call is refused until it is started again.", cause(err))
		}
		return ready, ""
	}
}

// askElasticsearch asks for the cluster's health. Yellow means that copies are missing, which a
// single node can't hold anyway.
func askElasticsearch(transport esapi.Transport) func(context.Context) (adminv1.PartState, string) {
	return func(ctx context.Context) (adminv1.PartState, string) {
		response, err := esapi.ClusterHealthRequest{}.Do(ctx, transport)
		if err != nil {
			return down, fmt.Sprintf("Elasticsearch doesn't answer: %s. Start it again; records wait in Redis meanwhile, and nothing is lost.", cause(err))
		}
		defer response.Body.Close()
		err = elastic.Failure(response)
		if err != nil {
			return degraded, fmt.Sprintf("%v. Look into its log; records wait in Redis meanwhile, and nothing is lost.", err)
		}
		var health struct {
			Status string
			Nodes  int `json:"number_of_nodes"`
		}
		err = json.NewDecoder(response.Body).Decode(&health)
		switch {
		case err != nil:
			return degraded, fmt.Sprintf("Elasticsearch's answer can't be read: %v. Check that its address is the right one.", err)
		case health.Status == "green", health.Status == "yellow" && health.Nodes == 1:
			return ready, ""
		case health.Status == "yellow":
			return degraded, "Elasticsearch is yellow: it has all records, but not all of their copies. Check that all of its nodes run."
		}
		return degraded, fmt.Sprintf("Elasticsearch is %s: some records can't be read or written. Look into its log, and at its disks.", health.Status)
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

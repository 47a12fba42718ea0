package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"sallyport/services/internal/elastic"
)

// askElasticsearch asks for the cluster's health, its disks and its clock. Yellow means that copies are missing,
// which a single node can't hold anyway.
func askElasticsearch(transport esapi.Transport) func(context.Context) verdict {
	return func(ctx context.Context) verdict {
		const meanwhile = "; records wait in Redis meanwhile, and nothing is lost."
		response, err := esapi.ClusterHealthRequest{}.Do(ctx, transport)
		if err != nil {
			return verdict{state: down, fault: fmt.Sprintf("Elasticsearch doesn't answer: %s.", cause(err)), remedy: "Start it again" + meanwhile}
		}
		defer response.Body.Close()
		err = elastic.Failure(response)
		if err != nil {
			return verdict{state: degraded, fault: fmt.Sprintf("%v.", err), remedy: "Look into its log" + meanwhile}
		}
		v := cluster(response)
		room := askRoom(ctx, transport)
		if v.state == ready {
			v = room.judge()
		}
		v.at, v.asked = room.at, room.asked
		return v
	}
}

// cluster judges an answer about the cluster's health.
func cluster(response *esapi.Response) verdict {
	var health struct {
		Status string
		Nodes  int `json:"number_of_nodes"`
	}
	err := json.NewDecoder(response.Body).Decode(&health)
	switch {
	case err != nil:
		return verdict{state: degraded, fault: fmt.Sprintf("Elasticsearch's answer can't be read: %v.", err), remedy: "Check that its address is the right one."}
	case health.Status == "green", health.Status == "yellow" && health.Nodes == 1:
		return verdict{state: ready}
	case health.Status == "yellow":
		return verdict{state: degraded, fault: "Elasticsearch is yellow: it has all records, but not all of their copies.", remedy: "Check that all of its nodes run."}
	}
	return verdict{
		state: degraded, fault: fmt.Sprintf("Elasticsearch is %s: some records can't be read or written.", health.Status),
		remedy: "Look into its log, and at its disks.",
	}
}

// room is how much of it Elasticsearch has on its disks, in its own judgement.
type room struct {
	// blocked is how many indices take no more records, flooded and filling how many nodes are over the
	// flood stage, and over the high watermark.
	blocked, flooded, filling int
	// unwatched says that Elasticsearch was told not to mind watermarks: it writes until there is no room left.
	unwatched bool
	// free and total are of the node with the least room, in bytes; 0 where they aren't told.
	free, total int64
	at, asked   time.Time
}

// askRoom asks for the disks. What isn't told, as by an Elasticsearch before 8.7, stays zero and is nothing wrong.
func askRoom(ctx context.Context, transport esapi.Transport) room {
	var r room
	var report struct {
		Indicators struct {
			Disk struct {
				Details struct {
					Blocked int `json:"indices_with_readonly_block"`
					Flooded int `json:"nodes_over_flood_stage_watermark"`
					Filling int `json:"nodes_over_high_watermark"`
				}
			}
		}
	}
	err := elastic.Ask(ctx, transport, esapi.HealthReportRequest{Feature: "disk"}, &report)
	if err == nil {
		disk := report.Indicators.Disk.Details
		r.blocked, r.flooded, r.filling = disk.Blocked, disk.Flooded, disk.Filling
	}
	var settings map[string]map[string]string
	err = elastic.Ask(ctx, transport, esapi.ClusterGetSettingsRequest{IncludeDefaults: new(true), FlatSettings: new(true), FilterPath: []string{"*." + strings.ReplaceAll(watched, ".", `\.`)}}, &settings)
	if err == nil {
		r.unwatched = cmp.Or(settings["transient"][watched], settings["persistent"][watched], settings["defaults"][watched]) == "false"
	}
	var stats struct {
		Nodes map[string]struct {
			Timestamp int64
			FS        struct {
				Total struct {
					Free  int64 `json:"available_in_bytes"`
					Total int64 `json:"total_in_bytes"`
				}
			}
		}
	}
	err = elastic.Ask(ctx, transport, esapi.NodesStatsRequest{Metric: []string{"fs"}}, &stats)
	if err != nil {
		return r
	}
	r.asked = time.Now()
	for _, node := range stats.Nodes {
		disk := node.FS.Total
		if r.total == 0 || disk.Free < r.free {
			r.free, r.total = disk.Free, disk.Total
		}
		r.at = time.UnixMilli(node.Timestamp)
	}
	return r
}

// watched is the setting that has Elasticsearch mind watermarks.
const watched = "cluster.routing.allocation.disk.threshold_enabled"

// leastFree is the share of a disk that has to be free where no watermark says it: Elasticsearch's own flood stage.
const leastFree = 0.05

func (r room) judge() verdict {
	if r.unwatched {
		r.flooded, r.filling = 0, 0
		if float64(r.free) < leastFree*float64(r.total) {
			r.filling = 1
		}
	}
	left := ""
	if r.total > 0 {
		left = fmt.Sprintf(" It has %s free of %s.", bytesText(r.free), bytesText(r.total))
	}
	switch {
	case r.blocked > 0 || r.flooded > 0:
		indices := "no more records are indexed"
		if r.blocked > 0 {
			indices = fmt.Sprintf("%s no more records", map[bool]string{true: "1 index takes", false: fmt.Sprintf("%d indices take", r.blocked)}[r.blocked == 1])
		}
		return verdict{
			state: degraded, fault: "Elasticsearch's disk is over its flood stage: " + indices + ", and they wait in Redis." + left,
			remedy: "Give the disk more room, or keep records for fewer days (SALLYPORT_RETENTION_DAYS); Elasticsearch takes records again by itself once it is below its high watermark.",
		}
	case r.filling > 0:
		return verdict{
			state: degraded, fault: "Elasticsearch's disk is nearly full; when it is, no more records are indexed." + left,
			remedy: "Give the disk more room, or keep records for fewer days (SALLYPORT_RETENTION_DAYS).",
		}
	}
	return verdict{state: ready}
}

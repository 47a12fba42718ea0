package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/internal/state"
)

const (
	// askTimeout is how long a part may take to say how it is.
	askTimeout = 2 * time.Second
	// behindMost is how long records may wait while accesslog and Elasticsearch say they are well;
	// indexing takes a second, and catching up after a restart some more.
	behindMost = time.Minute
	// fillingShare is how much of the activity stream's limit may wait before the status says so: half,
	// so that as much time is left as has passed since Elasticsearch went away.
	fillingShare = 0.5
)

// StatusServer tells how every part of Sallyport is.
type StatusServer struct {
	adminv1.UnsafeStatusServiceServer
	// publicURL and consoleURL are without a slash at the end; consoleURL is empty where none is set.
	publicURL, consoleURL string
	store                 *state.Store
	identity              identityv1.UpstreamServiceClient
	parts                 []part
	// streamLimit is how many entries may wait to be indexed.
	streamLimit int64
	// settings asks for what holds now.
	settings []settingsSource
	// operations tells what is new about the site's tools, and people whether groups can be learned.
	operations *OperationServer
	people     people
}

// part is a program that Sallyport needs, and how to ask it.
type part struct {
	name string
	ask  func(context.Context) verdict
}

func newStatusServer(cfg Config, store *state.Store, elastic esapi.Transport, operations *OperationServer, identity *grpc.ClientConn) *StatusServer {
	// Parts are neighbours: no proxy of the environment stands between.
	client := &http.Client{Transport: &http.Transport{}}
	return &StatusServer{
		publicURL: strings.TrimSuffix(cfg.PublicURL, "/"), consoleURL: strings.TrimSuffix(cfg.ConsoleURL, "/"),
		store: store, identity: identityv1.NewUpstreamServiceClient(identity), operations: operations,
		people: people{store, identityv1.NewDirectoryServiceClient(identity)}, streamLimit: cfg.StreamLimit,
		parts: []part{
			{"envoy", askHTTP(client, "Envoy", cfg.EnvoyAdmin, "/ready")},
			{"authz", askHTTP(client, "authz", cfg.AuthzOps, "/readyz")},
			{"identity", askHTTP(client, "identity", cfg.IdentityOps, "/readyz")},
			{"accesslog", askHTTP(client, "accesslog", cfg.AccesslogOps, "/readyz")},
			{"redis", askRedis(store)},
			{"elasticsearch", askElasticsearch(elastic)},
		},
		settings: []settingsSource{{client, "accesslog", cfg.AccesslogOps}, {client, "authz", cfg.AuthzOps}, {client, "identity", cfg.IdentityOps}},
	}
}

// GetStatus asks every part, and about the set-up, at the same time.
func (s *StatusServer) GetStatus(ctx context.Context, request *adminv1.GetStatusRequest) (*adminv1.GetStatusResponse, error) {
	parts, atlassian := s.parts, ctx
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	now := request.GetAskAtlassian()
	if now {
		var cancel context.CancelFunc
		atlassian, cancel = context.WithTimeout(atlassian, atlassianTimeout)
		defer cancel()
		parts = append(slices.Clone(parts), part{"rovo", func(context.Context) verdict { return s.askRovo(atlassian) }})
	} else {
		atlassian = ctx
	}
	answer := &adminv1.GetStatusResponse{
		Parts:       make([]*adminv1.Part, len(parts)),
		McpUrl:      s.publicURL + "/mcp",
		CallbackUrl: s.publicURL + "/mcp/callback",
		ConsoleUrl:  s.consoleURL,
	}
	var asking sync.WaitGroup
	for i, p := range parts {
		asking.Go(func() { answer.Parts[i] = p.ask(ctx).part(p.name) })
	}
	asking.Go(func() { s.tellState(ctx, answer) })
	var rovo []*adminv1.SetupItem
	var deliveries []*adminv1.Part
	asking.Go(func() { deliveries = s.deliveries(ctx) })
	setup := make([]*adminv1.SetupItem, 2)
	asking.Go(func() { rovo = s.rovoSetup(ctx) })
	settings := make([][]*adminv1.Setting, len(s.settings))
	for i, source := range s.settings {
		asking.Go(func() { settings[i] = source.ask(ctx) })
	}
	asking.Go(func() { setup[0] = s.people.groupsSetup(atlassian, now) })
	asking.Go(func() { setup[1], answer.Notices = s.operations.toolsSetup(ctx) })
	asking.Wait()
	answer.AnsweredAt = timestamppb.Now()
	answer.Parts = append(answer.Parts, deliveries...)
	answer.Settings = slices.Concat(settings...)
	answer.Setup = slices.Concat(rovo, []*adminv1.SetupItem{sitesSetup(answer.GetSettings())}, setup)
	noteBacklog(answer.Parts, answer.GetBehind().AsDuration())
	noteAside(answer.Parts, answer.GetAside()-answer.GetAsideAcknowledged())
	noteFilling(answer.Parts, answer.GetWaiting(), s.streamLimit)
	return answer, nil
}

// tellState puts in what Redis holds. That Redis doesn't answer is said of the part; what it would have told
// stays empty.
func (s *StatusServer) tellState(ctx context.Context, answer *adminv1.GetStatusResponse) {
	policy, err := s.store.Policy(ctx)
	if err == nil {
		answer.PolicyVersion = policy.Version
	}
	waiting, behind, err := s.store.StreamLength(ctx)
	if err == nil {
		answer.Waiting, answer.Behind = waiting, durationpb.New(behind)
		backlog, _ := s.store.Backlog(ctx)
		answer.Aside, answer.AsideAcknowledged = backlog.Aside, backlog.Acknowledged
	}
}

// noteBacklog tells of records that wait although the parts that index them say they are well:
// something holds them up that no part sees by itself.
func noteBacklog(parts []*adminv1.Part, behind time.Duration) {
	if behind < behindMost {
		return
	}
	well := map[string]*adminv1.Part{}
	for _, p := range parts {
		if p.GetState() == ready {
			well[p.GetName()] = p
		}
	}
	if well["accesslog"] == nil || well["elasticsearch"] == nil {
		return
	}
	degrade(parts, "accesslog is ready, but records have waited to be indexed for "+behind.Round(time.Second).String()+".",
		"If that grows, look into its log for what holds it up; nothing is lost meanwhile.")
}

// noteAside tells of entries that Elasticsearch refuses, which no search finds, and that nobody has acknowledged.
func noteAside(parts []*adminv1.Part, fresh int64) {
	if fresh <= 0 {
		return
	}
	entries := "1 entry is"
	if fresh > 1 {
		entries = fmt.Sprintf("%d entries are", fresh)
	}
	degrade(parts, entries+" kept aside, because Elasticsearch refuses what is in them, which no search finds.",
		"`sallyport log rejected` says why; once that is mended, `sallyport log retry --all` has them indexed. "+
			"Where it never will be, `sallyport log acknowledge` ends this.")
}

// noteFilling tells, long before calls are refused for that, that the stream of records that wait to be
// indexed fills up.
func noteFilling(parts []*adminv1.Part, waiting, limit int64) {
	if float64(waiting) < fillingShare*float64(limit) {
		return
	}
	degrade(parts, fmt.Sprintf("%d of at most %d entries wait to be indexed; at the limit all calls are refused, since they couldn't be written down.", waiting, limit),
		"Bring Elasticsearch back, or raise SALLYPORT_STREAM_LIMIT if Redis has the memory.")
}

// degrade says of accesslog, before what is said already, what is wrong with the records.
func degrade(parts []*adminv1.Part, fault, remedy string) {
	for _, p := range parts {
		if p.GetName() != "accesslog" {
			continue
		}
		if p.GetState() == ready {
			p.State = degraded
		}
		if p.GetDetail() == "" {
			p.Remedy = remedy
		} else {
			p.Remedy = ""
		}
		p.Detail = strings.TrimSpace(fault + " " + remedy + " " + p.GetDetail())
	}
}

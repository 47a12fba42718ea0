package admin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
)

// atlassianTimeout is how long Atlassian may take where it is asked now: somewhat longer than identity gives it.
const atlassianTimeout = 6 * time.Second

// askRovo has identity ask whether Atlassian's MCP server answers.
func (s *StatusServer) askRovo(ctx context.Context) verdict {
	_, err := s.identity.CheckUpstream(ctx, &identityv1.CheckUpstreamRequest{})
	message := status.Convert(err).Message()
	switch {
	case err == nil:
		return verdict{state: ready}
	case status.Code(err) == codes.Unavailable && !strings.HasPrefix(message, "connection error"):
		return verdict{
			state: down, fault: fmt.Sprintf("Atlassian's MCP server doesn't answer identity as it should: %s.", strings.TrimRight(message, ".")),
			remedy: "Let identity and Envoy reach mcp.atlassian.com, auth.atlassian.com and api.atlassian.com at port 443 (through a proxy, identity reads HTTPS_PROXY), and look at https://status.atlassian.com.",
		}
	}
	return verdict{fault: status.Convert(identityAway(err)).Message()}
}

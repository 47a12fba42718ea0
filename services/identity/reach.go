package identity

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
)

// reachTimeout bounds asking Atlassian now, which takes two or three requests, or one of Jira.
const reachTimeout = 5 * time.Second

// CheckUpstream implements identityv1.UpstreamServiceServer.
func (s *server) CheckUpstream(ctx context.Context, _ *identityv1.CheckUpstreamRequest) (*identityv1.CheckUpstreamResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	err := s.atlassian.Check(ctx)
	if err != nil {
		call, ok := errors.AsType[*url.Error](err)
		switch {
		case ok && errors.Is(err, context.DeadlineExceeded):
			err = fmt.Errorf("%s: no answer within %v", call.URL, reachTimeout)
		case ok:
			err = fmt.Errorf("%s: %w", call.URL, call.Err)
		}
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	return &identityv1.CheckUpstreamResponse{McpUrl: s.atlassian.Resource()}, nil
}

package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"sallyport/services/internal/state"
)

const (
	// toolsEvery is how often the tools are asked for, by all replicas together.
	toolsEvery = 5 * time.Minute
	// toolsAfterFailure is how long after a failure the next occasion is taken.
	toolsAfterFailure = 30 * time.Second
	// toolsTimeout bounds asking for the tools and storing them.
	toolsTimeout = 30 * time.Second
)

// occasion is a token with which the tools can be asked for, as the person whose it is.
type occasion struct{ account, access string }

// learnTools offers the worker an occasion to learn what tools the site offers. It never waits:
// while the worker is busy, and one more occasion waits already, there will be others.
func (s *server) learnTools(account, access string) {
	select {
	case s.occasions <- occasion{account, access}:
	default:
	}
}

// askForTools takes occasions until the service stops.
func (s *server) askForTools(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case o := <-s.occasions:
			s.takeOccasion(ctx, o)
		}
	}
}

// takeOccasion asks for the tools if that is due, and logs those with something new.
func (s *server) takeOccasion(ctx context.Context, o occasion) {
	due, err := s.store.ToolsDue(ctx, toolsEvery)
	if err == nil && !due {
		return
	}
	var noticed []state.Tool
	if err == nil {
		noticed, err = s.saveTools(ctx, o)
	}
	if err != nil {
		if ctx.Err() == nil {
			s.toolsFailed(ctx, o, err)
		}
		return
	}
	s.metrics.toolLists.WithLabelValues("learned").Inc()
	for _, tool := range noticed {
		s.log.Warn("the site's tools have changed", "tool", tool.Name, "notice", string(tool.Notice), "changed", tool.Changed)
	}
}

// toolsFailed lets the next occasion after a while be taken.
func (s *server) toolsFailed(ctx context.Context, o occasion, err error) {
	s.metrics.toolLists.WithLabelValues("failed").Inc()
	err = errors.Join(err, s.store.AskToolsAgain(ctx, toolsAfterFailure))
	s.log.Warn("tools not learned", "account_id", o.account, "error", err)
}

// saveTools asks for the tools as a person, and returns those that got a notice.
func (s *server) saveTools(ctx context.Context, o occasion) ([]state.Tool, error) {
	ctx, cancel := context.WithTimeout(ctx, toolsTimeout)
	defer cancel()
	tools, leftOut, err := s.atlassian.Tools(ctx, o.access)
	if err != nil {
		return nil, err
	}
	if len(leftOut) > 0 {
		s.log.Warn("tools left out", "account_id", o.account, "count", len(leftOut), "first", leftOut[0])
	}
	offered := make([]state.Tool, 0, len(tools))
	for _, t := range tools {
		sum := sha256.Sum256(t.InputSchema)
		offered = append(offered, state.Tool{
			Name: t.Name, Title: t.Title, Description: t.Description, ReadOnly: t.ReadOnly, Destructive: t.Destructive,
			SchemaHash: hex.EncodeToString(sum[:]),
		})
	}
	return s.store.SaveTools(ctx, offered, time.Now().UTC())
}

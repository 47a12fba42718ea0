package native

import (
	"context"
	"slices"
)

// PIDs are the process ids of the parts that run now, by name. Elasticsearch's is that of its server.
func (s Stack) PIDs(ctx context.Context) (map[string]int, error) {
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	pids := s.pids(all)
	for _, p := range all {
		if !p.Running {
			delete(pids, p.Name)
		}
	}
	return pids, nil
}

// Ready says whether a part is.
func (s Stack) Ready(ctx context.Context, name string) bool {
	all, err := s.list(ctx)
	return err == nil && slices.ContainsFunc(all, func(p shown) bool { return p.Name == name && p.ready() })
}

// StopPart stops one part, and keeps it so until StartPart or the end of the stack.
func (s Stack) StopPart(ctx context.Context, name string) error {
	_, err := s.compose(ctx, "process", "stop", name)
	return err
}

// StartPart starts a part again that StopPart has stopped. It doesn't wait until the part is ready.
func (s Stack) StartPart(ctx context.Context, name string) error {
	_, err := s.compose(ctx, "process", "start", name)
	return err
}

package identity

import (
	"cmp"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/identity/atlassian"
	"sallyport/services/internal/state"
)

const (
	// listTimeout bounds listing all groups of a site, which takes several calls.
	listTimeout = 30 * time.Second
	// checkTimeout bounds asking whether Jira answers, for a status that waits for two seconds.
	checkTimeout = 1500 * time.Millisecond
	// checkEvery is how long an answer of Jira's is taken to say that it would answer again.
	checkEvery = time.Minute
)

var errNoDirectory = status.Error(codes.FailedPrecondition, "identity has no Jira service credential, so groups are unknown; "+
	"start it with --jira-url, --jira-user and --jira-token-file, or with --jira-cloud-id and --jira-token-file")

// ListGroups implements identityv1.DirectoryServiceServer.
func (s *server) ListGroups(ctx context.Context, r *identityv1.ListGroupsRequest) (*identityv1.ListGroupsResponse, error) {
	if s.directory == nil {
		return nil, errNoDirectory
	}
	listCtx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	var found []atlassian.Group
	err := s.ask(listCtx, func() (err error) {
		found, err = s.directory.AllGroups(listCtx, r.GetQuery())
		return err
	})
	if err != nil {
		return nil, directoryStatus(ctx, err)
	}
	return &identityv1.ListGroupsResponse{Groups: groupMessages(found)}, nil
}

// LookUpGroups implements identityv1.DirectoryServiceServer.
func (s *server) LookUpGroups(ctx context.Context, r *identityv1.LookUpGroupsRequest) (*identityv1.LookUpGroupsResponse, error) {
	if s.directory == nil {
		return nil, errNoDirectory
	}
	if r.GetAccountId() == "" {
		return nil, status.Error(codes.InvalidArgument, "account_id is missing")
	}
	groups, err := s.lookUpGroups(ctx, r.GetAccountId())
	if err != nil {
		return nil, directoryStatus(ctx, err)
	}
	return &identityv1.LookUpGroupsResponse{Groups: groupMessages(groups)}, nil
}

// RefreshGroups implements identityv1.DirectoryServiceServer.
func (s *server) RefreshGroups(ctx context.Context, r *identityv1.RefreshGroupsRequest) (*identityv1.RefreshGroupsResponse, error) {
	if s.directory == nil {
		return nil, errNoDirectory
	}
	// What any replica asks from now on is as good as what is asked here.
	now, err := s.store.Now(ctx)
	if err != nil {
		return nil, directoryStatus(ctx, err)
	}
	accounts, err := s.peopleNamed(ctx, r.GetAccountId())
	if err != nil {
		return nil, directoryStatus(ctx, err)
	}
	var refreshed, unknown atomic.Int32
	var lookups errgroup.Group
	lookups.SetLimit(lookupsAtOnce)
	for _, account := range accounts {
		lookups.Go(func() error {
			learned, err := s.invalidateGroups(ctx, account, now)
			if learned {
				refreshed.Add(1)
			} else {
				unknown.Add(1)
			}
			return err
		})
	}
	err = lookups.Wait()
	if err != nil {
		return nil, directoryStatus(ctx, err)
	}
	s.log.Info("groups refreshed", "account_id", cmp.Or(r.GetAccountId(), "everybody"), "refreshed", refreshed.Load(), "unknown", unknown.Load())
	return &identityv1.RefreshGroupsResponse{Refreshed: refreshed.Load(), Unknown: unknown.Load()}, nil
}

// CheckDirectory implements identityv1.DirectoryServiceServer.
func (s *server) CheckDirectory(ctx context.Context, r *identityv1.CheckDirectoryRequest) (*identityv1.CheckDirectoryResponse, error) {
	if s.directory == nil {
		return nil, errNoDirectory
	}
	answered, within := s.jiraAnswered.Load(), checkTimeout
	if r.GetNow() {
		answered, within = nil, reachTimeout
	}
	if answered != nil && time.Since(*answered) < checkEvery {
		return &identityv1.CheckDirectoryResponse{}, nil
	}
	checkCtx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := s.ask(checkCtx, func() error { return s.directory.Check(checkCtx) })
	if err != nil {
		return nil, directoryStatus(ctx, err)
	}
	return &identityv1.CheckDirectoryResponse{}, nil
}

// peopleNamed is the person, or everybody whose groups are kept fresh where account is empty.
func (s *server) peopleNamed(ctx context.Context, account string) ([]string, error) {
	if account == "" {
		return s.store.WatchedPeople(ctx)
	}
	return []string{account}, nil
}

// invalidateGroups learns a person's groups, and leaves them unknown where Jira doesn't answer or
// the caller has gone: who invalidates them knows that those stored are wrong.
func (s *server) invalidateGroups(ctx context.Context, account string, at time.Time) (learned bool, err error) {
	learned, err = s.learnGroups(ctx, account)
	if err == nil && learned {
		return true, nil
	}
	_, saveErr := s.store.SaveGroups(context.WithoutCancel(ctx), account, state.Groups{LearnedAt: at})
	return false, errors.Join(err, saveErr)
}

// directoryStatus says what became of a call to Jira; ctx is the caller's.
func directoryStatus(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	for reason, code := range map[error]codes.Code{
		atlassian.ErrCredential: codes.FailedPrecondition, atlassian.ErrPermission: codes.FailedPrecondition, atlassian.ErrNotFound: codes.NotFound,
	} {
		if errors.Is(err, reason) {
			return status.Error(code, reason.Error())
		}
	}
	return status.Error(codes.Unavailable, err.Error())
}

func groupMessages(groups []atlassian.Group) []*identityv1.Group {
	messages := make([]*identityv1.Group, len(groups))
	for i, g := range groups {
		messages[i] = &identityv1.Group{Id: g.ID, Name: g.Name}
	}
	return messages
}

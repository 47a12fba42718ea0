package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	"sallyport/services/internal/state"
	"sallyport/services/policy"
)

const (
	// maxBindings is how many roles may be bound; they are read with every request of a person.
	maxBindings = 1000
	// maxWho is how many bytes the name of a group or person may have.
	maxWho = 512
)

// AccessServer says who may use the API.
type AccessServer struct {
	adminv1.UnsafeAccessServiceServer
	store  *state.Store
	people people
	file   fileTokens
	// console is the console's URL, without a slash at its end; empty where nobody can sign in.
	console string
	log     *slog.Logger
}

// GetRoles returns who has which role.
func (s *AccessServer) GetRoles(ctx context.Context, _ *adminv1.GetRolesRequest) (*adminv1.GetRolesResponse, error) {
	saved, err := s.store.Roles(ctx)
	if err != nil {
		return nil, rolesAway(err)
	}
	answer := &adminv1.GetRolesResponse{Version: saved.Version, SavedBy: saved.By, Bindings: bindingMessages(saved.Bindings)}
	if !saved.At.IsZero() {
		answer.SavedAt = timestamppb.New(saved.At)
	}
	return answer, nil
}

func rolesAway(err error) error {
	return status.Errorf(codes.Unavailable, "Redis doesn't answer, so the roles can't be read. Start it again, and try once more. (%v)", err)
}

// SetRoles replaces who has which role.
func (s *AccessServer) SetRoles(ctx context.Context, request *adminv1.SetRolesRequest) (*adminv1.SetRolesResponse, error) {
	message := strings.TrimSpace(request.GetMessage())
	if n := utf8.RuneCountInString(message); n > maxMessage {
		return nil, status.Errorf(codes.InvalidArgument, "message has %d characters, and %d are the most: say why in fewer.", n, maxMessage)
	}
	if n := len(request.GetBindings()); n > maxBindings {
		return nil, status.Errorf(codes.InvalidArgument, "There are %d bindings, and %d are the most: bind groups rather than people.", n, maxBindings)
	}
	saved, err := s.store.Roles(ctx)
	if err != nil {
		return nil, rolesAway(err)
	}
	bindings, err := s.bindingsFrom(ctx, request.GetBindings(), saved.Bindings)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(bindings, func(b state.RoleBinding) bool { return roleNamed(b.Role) == admin }) {
		return nil, status.Error(codes.InvalidArgument, "Nobody would be admin any more but whoever holds the token file, so nothing was saved: give somebody, or a group, the role admin.")
	}
	by := state.Save{At: time.Now().UTC(), By: callerOf(ctx).name, Message: message}
	version, err := s.store.SaveRoles(ctx, request.GetBaseVersion(), bindings, by)
	if errors.Is(err, state.ErrConflict) {
		return nil, status.Errorf(codes.Aborted, "Version %d of the roles holds, and this change started from version %d, so it was not saved. Read the roles again, and make the change there.", version, request.GetBaseVersion())
	}
	if errors.Is(err, state.ErrNotOnDisk) {
		return nil, unsure{fmt.Sprintf("The roles hold as version %d", version), "`sallyport roles list` shows whether they still do.", err}
	}
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "Redis didn't confirm that the roles are saved. Read them again to see which hold. (%v)", err)
	}
	s.log.Info("roles saved", "version", version, "by", by.By, "bindings", len(bindings))
	return &adminv1.SetRolesResponse{Bindings: bindingMessages(bindings), Version: version}, nil
}

func bindingMessages(bindings []state.RoleBinding) []*adminv1.RoleBinding {
	var list []*adminv1.RoleBinding
	for _, b := range bindings {
		m := &adminv1.RoleBinding{Role: roleNamed(b.Role), Who: "user:" + b.Email, Name: b.GroupName}
		switch {
		case b.GroupID != "":
			m.Who = "group:" + b.GroupID
		case b.AccountID != "":
			m.Who = "user:" + b.AccountID
		}
		list = append(list, m)
	}
	return list
}

// bindingsFrom reads bindings, each once, with groups by id: those of the site, or where it can't be asked
// those that are bound already. Its errors are statuses.
func (s *AccessServer) bindingsFrom(ctx context.Context, sent []*adminv1.RoleBinding, saved []state.RoleBinding) ([]state.RoleBinding, error) {
	var bindings []state.RoleBinding
	var site []policy.Group
	for i, m := range sent {
		refuse := func(format string, args ...any) error {
			return status.Errorf(codes.InvalidArgument, "bindings[%d]: %s", i, fmt.Sprintf(format, args...))
		}
		b := state.RoleBinding{Role: roleNames[m.GetRole()]}
		if b.Role == "" {
			return nil, refuse("the role is missing: it may be viewer, auditor or admin.")
		}
		kind, who, _ := strings.Cut(m.GetWho(), ":")
		who = strings.TrimSpace(who)
		switch {
		case who == "" || len(who) > maxWho || kind != "group" && kind != "user":
			return nil, refuse("who is %q: write group: and the id or name of a group, or user: and an e-mail address or account id.", m.GetWho())
		case kind == "user" && strings.Contains(who, "@"):
			b.Email = strings.ToLower(who)
		case kind == "user":
			b.AccountID = who
		default:
			g, ok := groupBound(saved, who)
			var err error
			if !ok && site == nil {
				site, err = s.people.groups(ctx, "")
			}
			if err != nil {
				return nil, err
			}
			if !ok {
				g, err = groupNamed(site, who)
			}
			if err != nil {
				return nil, refuse("%v", err)
			}
			b.GroupID, b.GroupName = g.ID, g.Name
		}
		if !slices.Contains(bindings, b) {
			bindings = append(bindings, b)
		}
	}
	return bindings, nil
}

// groupBound finds a group by id among those that have a role.
func groupBound(saved []state.RoleBinding, id string) (policy.Group, bool) {
	for _, b := range saved {
		if b.GroupID == id {
			return policy.Group{ID: b.GroupID, Name: b.GroupName}, true
		}
	}
	return policy.Group{}, false
}

// groupNamed finds a group of the site by id, else by name. The error is a sentence.
func groupNamed(site []policy.Group, who string) (policy.Group, error) {
	var named []policy.Group
	for _, g := range site {
		if g.ID == who {
			return g, nil
		}
		if strings.EqualFold(g.Name, who) {
			named = append(named, g)
		}
	}
	switch len(named) {
	case 0:
		return policy.Group{}, fmt.Errorf("the site has no group %q. `sallyport groups list` shows those it has.", who)
	case 1:
		return named[0], nil
	}
	return policy.Group{}, fmt.Errorf("%d groups of the site are called %q: name the one that is meant by its id, which `sallyport groups list` shows.", len(named), who)
}

package admin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
	identityv1 "sallyport/proto/gen/go/sallyport/identity/v1"
	"sallyport/services/internal/state"
)

const (
	usualConnections = 50
	maxConnections   = 1000
	// revokeTimeout is how long identity may take to have tokens revoked at Atlassian; it gives up
	// after ten seconds itself.
	revokeTimeout = 12 * time.Second
)

// ConnectionServer lists and ends people's sign-ins.
type ConnectionServer struct {
	adminv1.UnsafeConnectionServiceServer
	people   people
	identity identityv1.ConnectionServiceClient
	log      *slog.Logger
}

// ListConnections returns one page of connections.
func (s *ConnectionServer) ListConnections(ctx context.Context, request *adminv1.ListConnectionsRequest) (*adminv1.ListConnectionsResponse, error) {
	query := state.ConnectionQuery{Client: strings.TrimSpace(request.GetClient()), Limit: usualConnections}
	if size := request.GetPageSize(); size != 0 {
		query.Limit = int(size)
	}
	if query.Limit < 1 || query.Limit > maxConnections {
		return nil, status.Errorf(codes.InvalidArgument, "page_size is %d: it must be 1 to %d.", query.Limit, maxConnections)
	}
	var err error
	query.After, err = placeFrom(request.GetPageToken())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, "page_token isn't one that ListConnections returned. Leave it out to begin anew.")
	}
	if user := strings.TrimSpace(request.GetUser()); user != "" {
		query.AccountID, err = s.people.account(ctx, user)
		if status.Code(err) == codes.NotFound {
			return &adminv1.ListConnectionsResponse{}, nil
		}
		if err != nil {
			return nil, err
		}
	}
	found, next, err := s.people.store.Connections(ctx, query)
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "Redis doesn't answer, so connections can't be listed. Start it again, and try once more. (%v)", err)
	}
	answer := &adminv1.ListConnectionsResponse{NextPageToken: placeToken(next)}
	for _, c := range found {
		message := connectionMessage(c.Grant)
		message.Expires = timestamppb.New(c.ExpiresAt)
		answer.Connections = append(answer.Connections, message)
	}
	return answer, nil
}

func connectionMessage(g state.Grant) *adminv1.Connection {
	message := &adminv1.Connection{
		Id: g.ID, AccountId: g.AccountID, Email: g.Email, Name: g.Name,
		Client: &activityv1.Client{Key: g.ClientKey, Name: g.ClientName, Class: g.ClientClass, Info: g.ClientInfo, Mismatch: g.ClientMismatch},
		Site:   g.Site, Since: timestamppb.New(g.CreatedAt),
	}
	if !g.UsedAt.IsZero() {
		message.LastUsed = timestamppb.New(g.UsedAt)
	}
	return message
}

// placeToken is where a page ended, opaque to callers; empty for the last page.
func placeToken(p state.Place) string {
	if p == (state.Place{}) {
		return ""
	}
	text, _ := json.Marshal(p) // of a string and a number: it can't fail
	return base64.RawURLEncoding.EncodeToString(text)
}

func placeFrom(token string) (p state.Place, err error) {
	if token == "" {
		return p, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	return p, err
}

// Disconnect ends one connection.
func (s *ConnectionServer) Disconnect(ctx context.Context, request *adminv1.DisconnectRequest) (*adminv1.DisconnectResponse, error) {
	id := strings.TrimSpace(request.GetId())
	if id == "" {
		return nil, status.Error(codes.InvalidArgument, "id is missing: name the connection by the id that ListConnections returns.")
	}
	grant, err := s.people.store.Grant(ctx, id)
	if err == nil {
		// Before the end, since whoever tries again after that is told that there is no such connection.
		err = s.people.store.WithdrawConsent(ctx, grant.AccountID, grant.ClientID)
	}
	var ended state.Ended
	if err == nil {
		ended, err = s.people.store.EndGrant(ctx, id)
	}
	if errors.Is(err, state.ErrNotFound) {
		return nil, status.Errorf(codes.NotFound, "There is no connection %q, or no longer. `sallyport connections list` shows those that there are.", id)
	}
	certain := !errors.Is(err, state.ErrNotOnDisk)
	if err != nil && certain {
		return nil, status.Errorf(codes.Unavailable, "Redis didn't confirm that the connection %q has ended. Start it again, and try once more. (%v)", id, err)
	}
	s.log.Info("connection ended", "grant", id, "account_id", grant.AccountID, "client", grant.ClientKey, "by", callerOf(ctx).name)
	answer := &adminv1.DisconnectResponse{Connection: connectionMessage(grant)}
	answer.Revocation, answer.RevocationDetail = s.revoke(ctx, ended)
	if !certain {
		return nil, unsure{fmt.Sprintf("The connection %q has ended", id), "`sallyport connections list` shows whether it is back: then end it once more. " + answer.GetRevocationDetail(), err}
	}
	return answer, nil
}

// ForgetPerson ends all of a person's sign-ins. A caller who repeats it after a lost answer is told
// that there is nobody of that name, or no longer.
func (s *ConnectionServer) ForgetPerson(ctx context.Context, request *adminv1.ForgetPersonRequest) (*adminv1.ForgetPersonResponse, error) {
	user := strings.TrimSpace(request.GetUser())
	if user == "" {
		return nil, status.Error(codes.InvalidArgument, "user is missing: name the person by e-mail address or Atlassian account id.")
	}
	account, err := s.people.account(ctx, user)
	if err != nil {
		return nil, err
	}
	ended, err := s.people.store.ForgetPerson(ctx, account)
	switch {
	case errors.Is(err, state.ErrNotFound):
		// Nothing tells a wrong id from that of somebody who was forgotten before.
		return nil, status.Errorf(codes.NotFound, "Nobody with the account id %q is signed in. Check its spelling, or name the person by e-mail address.", account)
	case err != nil && !errors.Is(err, state.ErrNotOnDisk):
		return nil, status.Errorf(codes.Unavailable, "Redis didn't confirm that the sign-ins of %q have ended. Start it again, and try once more. (%v)", user, err)
	}
	s.log.Info("person forgotten", "account_id", account, "sessions", ended.Grants, "by", callerOf(ctx).name)
	answer := &adminv1.ForgetPersonResponse{AccountId: account, Sessions: int32(ended.Grants)}
	answer.Revocation, answer.RevocationDetail = s.revoke(ctx, ended)
	if err != nil {
		return nil, unsure{fmt.Sprintf("The sign-ins of %q (%d) have ended", user, ended.Grants), "`sallyport connections list` shows whether they are back: then forget the person once more. " + answer.GetRevocationDetail(), err}
	}
	return answer, nil
}

// revoke has the tokens that have ended here revoked at Atlassian. It isn't given up when the caller
// goes, since nobody else knows the tokens any more.
func (s *ConnectionServer) revoke(ctx context.Context, ended state.Ended) (adminv1.Revocation, string) {
	if ended.Upstream == nil {
		return adminv1.Revocation_REVOCATION_NOT_NEEDED, ""
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	answer, err := s.identity.RevokeTokens(ctx, &identityv1.RevokeTokensRequest{
		AccountId: ended.AccountID, SealedAccess: ended.Upstream.Access, SealedRefresh: ended.Upstream.Refresh,
	})
	switch {
	case err != nil:
		s.log.Warn("identity didn't revoke a person's tokens at Atlassian", "account_id", ended.AccountID, "error", err)
		return adminv1.Revocation_REVOCATION_UNCONFIRMED, "Sallyport has forgotten the person's Atlassian tokens, but the identity service, which would have revoked them at Atlassian, " +
			"doesn't answer. Start it again; to be sure, have the person remove Sallyport under Connected apps of their Atlassian account."
	case !answer.GetConfirmed():
		return adminv1.Revocation_REVOCATION_UNCONFIRMED, answer.GetDetail()
	}
	return adminv1.Revocation_REVOCATION_CONFIRMED, ""
}

package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

func TestConnectionsAsATable(t *testing.T) {
	at := func(ago time.Duration) *timestamppb.Timestamp { return timestamppb.New(noon.Add(-ago)) }
	found := []*adminv1.Connection{
		{
			Id: "ckJ3mX0q2TfW7vLr9uYbN5A", AccountId: "712020:ana", Email: "ana@acme.test", Name: "Ana Acme", Since: at(time.Hour), LastUsed: at(time.Minute), Expires: at(-720 * time.Hour),
			Client: &activityv1.Client{Key: "claude", Name: "Claude", Class: "verified", Info: "claude-ai 1.0"},
		},
		{
			Id: "c-a8Zq0wLrR1nN0bT4eY7sg", AccountId: "712020:bo", Name: "Bo\x1b[2J", Since: at(48 * time.Hour), Expires: at(-24 * time.Hour),
			Client: &activityv1.Client{Key: "cursor", Name: "Cursor", Class: "claimed", Info: "evil 6", Mismatch: true},
		},
	}
	for name, test := range map[string]struct {
		list  connectionsList
		found []*adminv1.Connection
		more  bool
		want  string
	}{
		"two of more": {connectionsList{Limit: 2}, found, true, `
ID                       PERSON         CLIENT                       SURE      SINCE             LAST USED         EXPIRES
ckJ3mX0q2TfW7vLr9uYbN5A  ana@acme.test  Claude                       verified  2026-11-23 11:00  2026-11-23 11:59  2026-12-23 12:00
c-a8Zq0wLrR1nN0bT4eY7sg  Bo` + "\uFFFD" + `[2J         Cursor, calls itself evil 6  claimed   2026-11-21 12:00  never             2026-11-24 12:00
There are more: raise --limit, or narrow by --user or --client.
`},
		"none":          {connectionsList{}, nil, false, "\nNobody has connected an assistant yet. People do so by adding Sallyport's URL to theirs: `sallyport status` shows it.\n"},
		"none of these": {connectionsList{User: "ana@acme.test"}, nil, false, "\nThere is no such connection. `sallyport connections list` shows all.\n"},
	} {
		var out strings.Builder
		test.list.show(&terminal{out: &out}, test.found, test.more)
		if diff := cmp.Diff(test.want, "\n"+out.String()); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// pages answers with pages of so many connections.
type pages struct {
	adminv1.ConnectionServiceClient
	left  int
	asked []int32
}

func (p *pages) ListConnections(_ context.Context, r *adminv1.ListConnectionsRequest, _ ...grpc.CallOption) (*adminv1.ListConnectionsResponse, error) {
	p.asked = append(p.asked, r.GetPageSize())
	given := min(int(r.GetPageSize()), p.left)
	p.left -= given
	answer := &adminv1.ListConnectionsResponse{Connections: make([]*adminv1.Connection, given)}
	if p.left > 0 {
		answer.NextPageToken = "next"
	}
	return answer, nil
}

func TestConnectionsAreFetchedByPage(t *testing.T) {
	for _, test := range []struct {
		there, limit, found int
		more                bool
		asked               []int32
	}{
		{3, 50, 3, false, []int32{50}},
		{50, 50, 50, false, []int32{50}},
		{51, 50, 50, true, []int32{50}},
		{2600, 2500, 2500, true, []int32{1000, 1000, 500}},
	} {
		p := &pages{left: test.there}
		found, more, err := (&connectionsList{Limit: test.limit}).fetch(t.Context(), p)
		if err != nil || len(found) != test.found || more != test.more || !cmp.Equal(p.asked, test.asked) {
			t.Errorf("%+v: found %d, more %t, asked for %v, error %v", test, len(found), more, p.asked, err)
		}
	}
}

func TestRevocationIsTold(t *testing.T) {
	for want, answer := range map[string]*adminv1.ForgetPersonResponse{
		"ana@acme.test is signed out: 2 sign-ins ended, and every call of theirs is refused until they sign in again.\nTheir tokens are revoked at Atlassian.\n": {
			Sessions: 2, Revocation: adminv1.Revocation_REVOCATION_CONFIRMED,
		},
		"ana@acme.test is signed out: 1 sign-in ended, and every call of theirs is refused until they sign in again.\nAtlassian is away. Do this.\n": {
			Sessions: 1, Revocation: adminv1.Revocation_REVOCATION_UNCONFIRMED, RevocationDetail: "Atlassian is away. Do this.",
		},
		"ana@acme.test wasn't signed in with any assistant.\n":                                         {Revocation: adminv1.Revocation_REVOCATION_NOT_NEEDED},
		"ana@acme.test wasn't signed in with any assistant.\nTheir tokens are revoked at Atlassian.\n": {Revocation: adminv1.Revocation_REVOCATION_CONFIRMED},
		"ana@acme.test is signed out: 1 sign-in ended, and every call of theirs is refused until they sign in again.\nNothing had to be revoked at Atlassian: another assistant still uses the person's tokens, or Sallyport held none.\n": {
			Sessions: 1, Revocation: adminv1.Revocation_REVOCATION_NOT_NEEDED,
		},
	} {
		var out strings.Builder
		(&peopleForget{Person: "ana@acme.test"}).show(&terminal{out: &out}, answer)
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Error(diff)
		}
	}
}

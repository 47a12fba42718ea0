package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	activityv1 "sallyport/proto/gen/go/sallyport/activity/v1"
	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// followAgain is how long to wait before a tail that broke goes on.
const followAgain = time.Second

// follow shows the newest records and goes on with those that come. Where Sallyport is away it goes on from
// where it was when it is back, so that none is missed.
func (l *logCommand) follow(ctx context.Context, client adminv1.ActivityServiceClient, request *adminv1.SearchActivityRequest, t *terminal) error {
	asked, _ := proto.Clone(request).(*adminv1.SearchActivityRequest)
	asked.Since = nil
	f := following{log: l, t: t}
	cursor, away := "", false
	for {
		err := f.tail(ctx, client, &adminv1.TailActivityRequest{Search: asked, Cursor: cursor}, func(at string) error {
			cursor, away = at, false
			if f.begun {
				return nil
			}
			f.begun = true
			return f.newest(ctx, client, request)
		})
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was ended as it is meant to be
		}
		if !f.begun || !broke(err) {
			return err
		}
		if !away {
			fmt.Fprintln(os.Stderr, "The log was interrupted: it goes on, with what is recorded meanwhile, when Sallyport answers again. ("+printable(sentence(err))+")")
			away = true
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followAgain):
		}
	}
}

// broke says that a tail ended since something on the way did: a service, or the connection, which Envoy
// says by a reset.
func broke(err error) bool {
	var call *callError
	if !errors.As(err, &call) {
		return false
	}
	code := status.Code(call.err)
	return code == codes.Unavailable || code == codes.Internal && strings.Contains(call.err.Error(), "RST_STREAM")
}

// following is what was shown already.
type following struct {
	log   *logCommand
	t     *terminal
	begun bool
	// first are the records to begin with: the tail may have them again, since it begins before they are
	// asked for.
	first  map[string]bool
	titled bool
}

// tail shows what a tail sends, after it has told where it is.
func (f *following) tail(ctx context.Context, client adminv1.ActivityServiceClient, request *adminv1.TailActivityRequest, at func(cursor string) error) error {
	stream, err := client.TailActivity(ctx, request)
	if err != nil {
		return err
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		fresh := slices.DeleteFunc(message.GetRecords(), func(r *activityv1.Record) bool { return f.first[r.GetId()] })
		err = f.show(fresh)
		if err != nil {
			return err
		}
		err = at(message.GetCursor())
		if err != nil {
			return err
		}
	}
}

// newest shows the newest records, oldest first.
func (f *following) newest(ctx context.Context, client adminv1.ActivityServiceClient, request *adminv1.SearchActivityRequest) error {
	request.PageSize = int32(min(f.log.Limit, maxPage))
	page, err := client.SearchActivity(ctx, request)
	if err != nil {
		return err
	}
	f.first = map[string]bool{}
	for _, r := range page.GetRecords() {
		f.first[r.GetId()] = true
	}
	slices.Reverse(page.GetRecords())
	if page.GetArgumentsWithheld() && !f.log.JSON && !f.log.Administrative {
		sayWithheld(f.t)
	}
	return f.show(page.GetRecords())
}

func (f *following) show(records []*activityv1.Record) error {
	if len(records) == 0 {
		return nil
	}
	if f.log.JSON {
		return writeRecords(f.t, records)
	}
	// The widths of columns are those of what is shown together; the titles stand above the first alone.
	shown := recordTable(records, time.Now())
	if f.log.Administrative {
		shown = actTable(records, time.Now())
	}
	shown.bare = f.titled
	f.titled = true
	shown.write(f.t)
	return nil
}

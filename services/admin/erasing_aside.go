package admin

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"sallyport/services/internal/activity"
)

// aside changes what is kept aside, which would bring the person back when it is sent again, and returns how
// many entries there were to change.
func (e *erasing) aside(ctx context.Context) (int, error) {
	changed := 0
	for after := ""; ; {
		entries, err := e.store.Aside(ctx, after, erasePage)
		if err != nil {
			return changed, rejectedAway(err)
		}
		for _, entry := range entries {
			after = entry.Position
			document, found, err := e.without(entry.Document)
			if err != nil {
				return changed, status.Errorf(codes.Internal, "The entry %s, which is kept aside, can't be changed: %v.", entry.Position, err)
			}
			reason, quoted := e.who.with([]byte(entry.Reason), e.pseudonym)
			by, seen := e.who.with([]byte(entry.Acknowledged.By), e.pseudonym)
			if !found && !quoted && !seen {
				continue
			}
			entry.Document, entry.Reason, entry.Acknowledged.By = document, string(reason), string(by)
			err = e.store.ReplaceAside(ctx, entry)
			if err != nil {
				return changed, rejectedAway(err)
			}
			changed++
			e.records++
		}
		if len(entries) < erasePage {
			return changed, nil
		}
	}
}

// without is an entry's document without the person: as that of a record of their own, or as that of an act
// which was done to them. Other documents don't name people; one that can't be read may be any.
func (e *erasing) without(document []byte) ([]byte, bool, error) {
	record, err := activity.Parse(document)
	if err == nil && record.User != nil && record.User.ID == e.who.account {
		changed, err := e.who.own(document, e.pseudonym)
		return changed, true, err
	}
	if err == nil && record.Sallyport.Act == nil {
		return document, false, nil
	}
	changed, found := e.who.with(document, e.pseudonym)
	return changed, found, nil
}

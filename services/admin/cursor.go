package admin

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// cursor is where a search goes on, as a page token carries it. Records are in the order of their time
// and id, which never change, and those that came after the first page stand before it: so pages show
// each record once, however long somebody reads and whatever is written meanwhile.
type cursor struct {
	// Search tells the search that it is of.
	Search string `json:"s"`
	// At is when the first page was asked for: outcomes are judged by it on all pages.
	At time.Time `json:"t"`
	// Until is the time of the newest record of the first page, so that none that came later is counted.
	Until string `json:"u"`
	// After is the last record that was shown.
	After position `json:"a"`
}

// position is where in the order of a search a record is: its time and its id, as Elasticsearch
// writes them in "sort" and takes them in "search_after".
type position []string

// token is the cursor as a page token.
func (c cursor) token() string { return tokenOf(c) }

func tokenOf(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func readCursor(token string, into any) bool {
	text, err := base64.RawURLEncoding.DecodeString(token)
	return err == nil && json.Unmarshal(text, into) == nil
}

// cursorFrom reads the page token of a search; an empty one is the zero cursor.
func cursorFrom(token, search string) (cursor, error) {
	var c cursor
	if token == "" {
		return c, nil
	}
	if !readCursor(token, &c) || !c.whole() {
		return cursor{}, status.Error(codes.InvalidArgument, "page_token is none that a search returned: send next_page_token of the page before, or nothing for the first page.")
	}
	if c.Search != search {
		return cursor{}, status.Error(codes.InvalidArgument, "page_token is of another search: the words, filters and your role have to be those of the page before. Send no page_token to begin this search at its first page.")
	}
	return c, nil
}

// whole says that nothing is missing in a cursor.
func (c cursor) whole() bool {
	ok := len(c.After) == 2 && c.Search != "" && !c.At.IsZero()
	for _, at := range []string{c.Until, append(c.After, "")[0]} {
		_, err := time.Parse(time.RFC3339Nano, at)
		ok = ok && err == nil
	}
	return ok
}

// fingerprint tells searches apart, whatever their pages: the request, and whether arguments are searched.
func fingerprint(request *adminv1.SearchActivityRequest, arguments bool) string {
	own := &adminv1.SearchActivityRequest{}
	proto.Merge(own, request)
	own.PageSize, own.PageToken, own.Counts = 0, "", nil
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(own)
	if err != nil {
		// Text that isn't UTF-8, which gRPC refuses before: it is like no other search.
		text = []byte(err.Error())
	}
	if arguments {
		text = append(text, 0)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}

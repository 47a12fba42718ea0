package state_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/services/internal/state"
)

var monday = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// offer makes tools that differ by their names only.
func offer(names ...string) []state.Tool {
	var list []state.Tool
	for _, name := range names {
		list = append(list, state.Tool{Name: name, Description: "Does " + name + ".", SchemaHash: "1"})
	}
	return list
}

func save(t *testing.T, store *state.Store, at time.Time, offered ...state.Tool) []state.Tool {
	t.Helper()
	noticed, err := store.SaveTools(t.Context(), offered, at)
	must(t, err)
	return noticed
}

func known(t *testing.T, store *state.Store) map[string]state.Tool {
	t.Helper()
	list, err := store.Tools(t.Context())
	must(t, err)
	byName := map[string]state.Tool{}
	for _, tool := range list {
		byName[tool.Name] = tool
	}
	return byName
}

func TestFirstToolsAreTheBaseline(t *testing.T) {
	store, _ := open(t)
	if noticed := save(t, store, monday); len(noticed) != 0 {
		t.Errorf("an empty list noticed %+v", noticed)
	}
	if noticed := save(t, store, monday, offer("b", "a")...); len(noticed) != 0 {
		t.Errorf("the first list noticed %+v", noticed)
	}
	got, err := store.Tools(t.Context())
	must(t, err)
	var want []state.Tool
	for _, tool := range offer("a", "b") {
		tool.FirstSeen, tool.LastSeen = monday, monday
		want = append(want, tool)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the tools are (-want +got)\n%s", diff)
	}
}

func TestNewToolIsNoticedUntilReviewed(t *testing.T) {
	store, _ := open(t)
	save(t, store, monday, offer("a")...)
	later := monday.Add(time.Hour)
	noticed := save(t, store, later, offer("a", "b")...)
	if len(noticed) != 1 || noticed[0].Name != "b" || noticed[0].Notice != state.NoticeNew || !noticed[0].NoticedAt.Equal(later) {
		t.Fatalf("noticed %+v", noticed)
	}
	other := offer("b")[0]
	other.Description = "Does more."
	save(t, store, later.Add(time.Hour), other)
	if noticed := save(t, store, later.Add(2*time.Hour), other); len(noticed) != 0 {
		t.Errorf("noticed again: %+v", noticed)
	}
	got := known(t, store)["b"]
	if got.Notice != state.NoticeNew || got.Description != "Does more." || !got.FirstSeen.Equal(later) || !got.LastSeen.Equal(later.Add(2*time.Hour)) {
		t.Errorf("a new tool that changed is %+v", got)
	}
	must(t, store.ReviewTools(t.Context(), []string{"b"}))
	if got := known(t, store)["b"]; got.Notice != "" || !got.NoticedAt.IsZero() || got.Description != "Does more." {
		t.Errorf("after the review it is %+v", got)
	}
}

func TestChangedToolSaysWhat(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*state.Tool)
		want   []string
	}{
		"description": {func(o *state.Tool) { o.Description = "x" }, []string{"description"}},
		"title":       {func(o *state.Tool) { o.Title = "x" }, []string{"description"}},
		"schema":      {func(o *state.Tool) { o.SchemaHash = "2" }, []string{"schema"}},
		"read only":   {func(o *state.Tool) { o.ReadOnly = true }, []string{"annotations"}},
		"all": {func(o *state.Tool) { o.Destructive, o.SchemaHash, o.Description = true, "2", "x" },
			[]string{"annotations", "description", "schema"}},
	} {
		t.Run(name, func(t *testing.T) {
			store, _ := open(t)
			save(t, store, monday, offer("a", "b")...)
			changed := offer("a")[0]
			c.change(&changed)
			noticed := save(t, store, monday.Add(time.Hour), changed)
			if len(noticed) != 1 || noticed[0].Notice != state.NoticeChanged || !cmp.Equal(noticed[0].Changed, c.want) {
				t.Errorf("noticed %+v, want %v", noticed, c.want)
			}
		})
	}
}

func TestChangesAddUpUntilReviewed(t *testing.T) {
	store, _ := open(t)
	tool := offer("a")[0]
	save(t, store, monday, tool)
	tool.SchemaHash = "2"
	save(t, store, monday.Add(time.Hour), tool)
	tool.Description = "x"
	save(t, store, monday.Add(2*time.Hour), tool)
	tool.SchemaHash = "3"
	save(t, store, monday.Add(3*time.Hour), tool)
	save(t, store, monday.Add(4*time.Hour), tool)
	got := known(t, store)["a"]
	if !cmp.Equal(got.Changed, []string{"description", "schema"}) || !got.NoticedAt.Equal(monday.Add(3*time.Hour)) {
		t.Errorf("the tool is %+v", got)
	}
	must(t, store.ReviewTools(t.Context(), nil))
	if got := known(t, store)["a"]; got.Notice != "" || got.Changed != nil {
		t.Errorf("after the review it is %+v", got)
	}
	if noticed := save(t, store, monday.Add(5*time.Hour), tool); len(noticed) != 0 {
		t.Errorf("what was reviewed is noticed again: %+v", noticed)
	}
}

func TestGoneIsWhatNobodySeesForAWeek(t *testing.T) {
	store, _ := open(t)
	save(t, store, monday, offer("a", "b")...)
	if noticed := save(t, store, monday.AddDate(0, 0, 7), offer("a")...); len(noticed) != 0 {
		t.Errorf("noticed after seven days: %+v", noticed)
	}
	noticed := save(t, store, monday.AddDate(0, 0, 7).Add(time.Second), offer("a")...)
	if len(noticed) != 1 || noticed[0].Name != "b" || noticed[0].Notice != state.NoticeGone {
		t.Fatalf("noticed %+v", noticed)
	}
	// Another person sees it still.
	if noticed := save(t, store, monday.AddDate(0, 0, 8), offer("b")...); len(noticed) != 0 || known(t, store)["b"].Notice != "" {
		t.Errorf("after its return: %+v", noticed)
	}
	save(t, store, monday.AddDate(0, 0, 16), offer("a")...)
	must(t, store.ReviewTools(t.Context(), nil))
	if got := known(t, store); len(got) != 1 {
		t.Errorf("after the review of a tool that is gone: %+v", got)
	}
	if noticed := save(t, store, monday.AddDate(0, 0, 17), offer("b")...); len(noticed) != 1 || noticed[0].Notice != state.NoticeNew {
		t.Errorf("a tool that was reviewed as gone came back: %+v", noticed)
	}
}

// What nobody has looked at yet must not be covered by its going.
func TestGoneDoesntReplaceOtherNotices(t *testing.T) {
	store, _ := open(t)
	save(t, store, monday, offer("a")...)
	save(t, store, monday, offer("b")...)
	save(t, store, monday.AddDate(0, 0, 8), offer("a")...)
	if got := known(t, store)["b"]; got.Notice != state.NoticeNew {
		t.Errorf("the tool is %+v", got)
	}
	must(t, store.ReviewTools(t.Context(), nil))
	save(t, store, monday.AddDate(0, 0, 9), offer("a")...)
	if got := known(t, store)["b"]; got.Notice != state.NoticeGone {
		t.Errorf("after the review the tool is %+v", got)
	}
}

func TestReviewOfUnknownToolDoesNothing(t *testing.T) {
	store, _ := open(t)
	save(t, store, monday, offer("a")...)
	save(t, store, monday, offer("b")...)
	err := store.ReviewTools(t.Context(), []string{"b", "c"})
	if !errors.Is(err, state.ErrNotFound) || known(t, store)["b"].Notice != state.NoticeNew {
		t.Errorf("error %v", err)
	}
}

func TestReplicasLoseNoTools(t *testing.T) {
	store, client := open(t)
	other := state.Open(client.Options().Addr)
	t.Cleanup(func() { _ = other.Close() })
	save(t, store, monday, offer("a")...)
	changed := offer("a")[0]
	changed.SchemaHash = "2"
	save(t, store, monday, changed)
	errs := make(chan error, 40)
	var wait sync.WaitGroup
	for i := range cap(errs) {
		from := store
		if i%2 == 1 {
			from = other
		}
		wait.Go(func() {
			if i == 20 {
				errs <- from.ReviewTools(t.Context(), []string{"a"})
				return
			}
			_, err := from.SaveTools(t.Context(), offer(fmt.Sprint("tool", i)), monday)
			errs <- err
		})
	}
	wait.Wait()
	close(errs)
	for err := range errs {
		must(t, err)
	}
	got := known(t, store)
	if len(got) != cap(errs) || got["a"].Notice != "" {
		t.Errorf("%d tools are known, want %d; the one that was reviewed is %+v", len(got), cap(errs), got["a"])
	}
}

func TestToolsAreDueOnce(t *testing.T) {
	store, client := open(t)
	other := state.Open(client.Options().Addr)
	t.Cleanup(func() { _ = other.Close() })
	for i, s := range []*state.Store{store, other, store} {
		due, err := s.ToolsDue(t.Context(), time.Minute)
		must(t, err)
		if due != (i == 0) {
			t.Errorf("caller %d: due is %t", i, due)
		}
	}
	must(t, store.AskToolsAgain(t.Context(), 50*time.Millisecond))
	time.Sleep(100 * time.Millisecond)
	due, err := other.ToolsDue(t.Context(), time.Minute)
	must(t, err)
	if !due {
		t.Error("they aren't due again")
	}
}

package state

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	toolsKey = prefix + "tools"
	// toolsAskedKey is there while the tools needn't be asked for again.
	toolsAskedKey = prefix + "tools-asked"
	// toolsLockTime bounds a change of the known tools; it reads and writes a few megabytes at most.
	toolsLockTime = 10 * time.Second
	// goneAfter is how long nobody may have been offered a tool before it counts as gone. People see
	// different tools, by their permissions and products, so one list without it says little.
	goneAfter = 7 * 24 * time.Hour
)

// Notice is what admins should know of a tool; empty for nothing.
type Notice string

// The notices.
const (
	NoticeNew     Notice = "new"
	NoticeChanged Notice = "changed"
	NoticeGone    Notice = "gone"
)

// What Tool.Changed may say.
const (
	// ChangedDescription is the title too.
	ChangedDescription = "description"
	ChangedSchema      = "schema"
	ChangedAnnotations = "annotations"
)

// Tool is a tool that the site offers, or did, as it was last seen. All that describes it is the
// site's own word.
type Tool struct {
	Name        string `json:"name"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	// ReadOnly and Destructive are the annotations readOnlyHint and destructiveHint (MCP
	// 2025-11-25, server/tools).
	ReadOnly    bool `json:"read_only,omitempty"`
	Destructive bool `json:"destructive,omitempty"`
	// SchemaHash is the SHA-256 of the canonical input schema.
	SchemaHash string    `json:"schema_hash"`
	FirstSeen  time.Time `json:"first_seen"`
	LastSeen   time.Time `json:"last_seen"`
	// Notice stays until it is reviewed. A tool that changes while it is new stays new.
	Notice Notice `json:"notice,omitempty"`
	// NoticedAt is when Notice, or Changed, last came to be; zero without a notice.
	NoticedAt time.Time `json:"noticed_at,omitzero"`
	// Changed says what has changed since the last review, where Notice is NoticeChanged.
	Changed []string `json:"changed,omitempty"`
}

// SaveTools stores what a person was offered, by name, and returns the tools that got a notice now,
// or one more change, sorted by name. The first list ever is the baseline, which gets no notices.
// Tools that nobody was offered for 7 days, and that have no other notice, are marked as gone; that
// ends when they are offered again. Times and notices of offered are ignored.
func (s *Store) SaveTools(ctx context.Context, offered []Tool, now time.Time) ([]Tool, error) {
	var noticed []Tool
	err := s.changeTools(ctx, func(known map[string]Tool) error {
		baseline := len(known) == 0
		for _, o := range offered {
			was, isKnown := known[o.Name]
			tool, isNoticed := o.after(was, now), false
			switch {
			case !isKnown && !baseline:
				tool.Notice, tool.NoticedAt, isNoticed = NoticeNew, now, true
			case isKnown:
				isNoticed = tool.compare(was, now)
			}
			known[o.Name] = tool
			if isNoticed {
				noticed = append(noticed, tool)
			}
		}
		for name, tool := range known {
			if tool.Notice == "" && now.Sub(tool.LastSeen) > goneAfter {
				tool.Notice, tool.NoticedAt = NoticeGone, now
				known[name] = tool
				noticed = append(noticed, tool)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("saving tools: %w", err)
	}
	sortTools(noticed)
	return noticed, nil
}

// after is the tool as offered now, with what is remembered of it.
func (t Tool) after(was Tool, now time.Time) Tool {
	t.FirstSeen, t.LastSeen = was.FirstSeen, now
	if t.FirstSeen.IsZero() {
		t.FirstSeen = now
	}
	t.Notice, t.NoticedAt, t.Changed = was.Notice, was.NoticedAt, was.Changed
	if t.Notice == NoticeGone {
		t.Notice, t.NoticedAt = "", time.Time{}
	}
	return t
}

// compare marks what is different from before, and returns whether anything is.
func (t *Tool) compare(was Tool, now time.Time) bool {
	var changes []string
	if t.Description != was.Description || t.Title != was.Title {
		changes = append(changes, ChangedDescription)
	}
	if t.SchemaHash != was.SchemaHash {
		changes = append(changes, ChangedSchema)
	}
	if t.ReadOnly != was.ReadOnly || t.Destructive != was.Destructive {
		changes = append(changes, ChangedAnnotations)
	}
	if len(changes) == 0 {
		return false
	}
	t.NoticedAt = now
	if t.Notice == NoticeNew {
		return true
	}
	t.Notice = NoticeChanged
	t.Changed = append(slices.Clone(t.Changed), changes...)
	slices.Sort(t.Changed)
	t.Changed = slices.Compact(t.Changed)
	return true
}

// Tools returns all tools that were ever offered, sorted by name, but those that were reviewed
// after they had gone.
func (s *Store) Tools(ctx context.Context) ([]Tool, error) {
	known, err := s.knownTools(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Tool, 0, len(known))
	for _, tool := range known {
		list = append(list, tool)
	}
	sortTools(list)
	return list, nil
}

// ReviewTools clears the notices of the named tools, or of all where names is empty; those that are
// gone are forgotten. With a name that isn't known it does nothing and returns ErrNotFound.
func (s *Store) ReviewTools(ctx context.Context, names []string) error {
	err := s.changeTools(ctx, func(known map[string]Tool) error {
		for _, name := range names {
			if _, isKnown := known[name]; !isKnown {
				return fmt.Errorf("the tool %q: %w", name, ErrNotFound)
			}
		}
		for name, tool := range known {
			if len(names) > 0 && !slices.Contains(names, name) {
				continue
			}
			if tool.Notice == NoticeGone {
				delete(known, name)
				continue
			}
			tool.Notice, tool.NoticedAt, tool.Changed = "", time.Time{}, nil
			known[name] = tool
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reviewing tools: %w", err)
	}
	return nil
}

// ToolsDue returns true to one caller of all replicas, and then to nobody for the time of every, or
// until AskToolsAgain.
func (s *Store) ToolsDue(ctx context.Context, every time.Duration) (bool, error) {
	due, err := s.redis.SetNX(ctx, toolsAskedKey, "1", every).Result()
	if err != nil {
		return false, fmt.Errorf("asking whether the tools are due: %w", err)
	}
	return due, nil
}

// AskToolsAgain lets the tools be due after a wait, since they couldn't be had.
func (s *Store) AskToolsAgain(ctx context.Context, wait time.Duration) error {
	err := s.redis.PExpire(ctx, toolsAskedKey, wait).Err()
	if err != nil {
		return fmt.Errorf("letting the tools be asked for again: %w", err)
	}
	return nil
}

// changeTools lets change edit the known tools, by name, while no other replica does.
func (s *Store) changeTools(ctx context.Context, change func(map[string]Tool) error) error {
	unlock, err := s.Lock(ctx, "tools", toolsLockTime)
	if err != nil {
		return err
	}
	defer unlock()
	// Past the lock's time another may be writing.
	ctx, cancel := context.WithTimeout(ctx, toolsLockTime)
	defer cancel()
	known, err := s.knownTools(ctx)
	if err != nil {
		return err
	}
	err = change(known)
	if err != nil {
		return err
	}
	return s.storeTools(ctx, known)
}

// storeTools replaces the known tools.
func (s *Store) storeTools(ctx context.Context, known map[string]Tool) error {
	fields := make(map[string]any, len(known))
	for name, tool := range known {
		text, err := json.Marshal(tool)
		if err != nil {
			return err
		}
		fields[name] = text
	}
	_, err := s.redis.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Del(ctx, toolsKey)
		if len(fields) > 0 {
			pipe.HSet(ctx, toolsKey, fields)
		}
		return nil
	})
	return err
}

func (s *Store) knownTools(ctx context.Context) (map[string]Tool, error) {
	fields, err := s.redis.HGetAll(ctx, toolsKey).Result()
	if err != nil {
		return nil, fmt.Errorf("reading tools: %w", err)
	}
	known := make(map[string]Tool, len(fields))
	for name, text := range fields {
		var tool Tool
		err = json.Unmarshal([]byte(text), &tool)
		if err != nil {
			return nil, fmt.Errorf("reading the tool %q: %w", name, err)
		}
		known[name] = tool
	}
	return known, nil
}

func sortTools(list []Tool) {
	slices.SortFunc(list, func(a, b Tool) int { return strings.Compare(a.Name, b.Name) })
}

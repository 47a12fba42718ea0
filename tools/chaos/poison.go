package main

import (
	"context"
	"fmt"
	"strings"
)

// poisons are arguments that are hard on Elasticsearch. The first is one that no index takes: flattened
// fields separate the key from the value by this character. What becomes of the others is
// Elasticsearch's to say; each must have its one record all the same, and hold up nothing.
var poisons = []string{
	`"no\u0000index":"takes this"`,
	`"digits":` + strings.Repeat("7", 5000),
	`"power":1e99999`,
	`"half a pair":"\ud83d"`,
	`"":{"":[{"":null}]}`,
	`"a..b":1,".":2,"_id":"x"`,
	`"deep":` + strings.Repeat(`{"d":`, 200) + "1" + strings.Repeat("}", 200),
	`"long":"` + strings.Repeat("word ", 40_000) + `"`,
}

// poisoning lets some calls have them for the window.
func poisoning(ctx context.Context, s *scene) error {
	s.load.poisoned.Store(true)
	defer s.load.poisoned.Store(false)
	return wait(ctx, s.window)
}

// poisonKeptAside says whether those of the first kind, and no others but poisoned ones, were set aside.
func poisonKeptAside(s *scene, r result) []string {
	first, all := 0, 0
	for _, c := range s.load.calls {
		if c.answer != allowed && c.answer != blocked || c.poison == 0 {
			continue
		}
		all++
		if c.poison == 1 {
			first++
		}
	}
	if first == 0 || r.Aside < first || r.Aside > all {
		return []string{fmt.Sprintf("%d records were set aside; Elasticsearch can't take %d of the %d poisoned ones", r.Aside, first, all)}
	}
	return nil
}

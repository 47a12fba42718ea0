package main

import (
	"cmp"
	"strings"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// setupWords are whether an item of the set-up is there, as people read it.
var setupWords = map[adminv1.SetupState]struct {
	word string
	tint tint
}{
	adminv1.SetupState_SETUP_STATE_UNSPECIFIED:   {"Unknown", yellow},
	adminv1.SetupState_SETUP_STATE_DONE:          {"Done", green},
	adminv1.SetupState_SETUP_STATE_ACTION_NEEDED: {"Action needed", red},
	adminv1.SetupState_SETUP_STATE_UNKNOWN:       {"Unknown", yellow},
}

// setupNames are the items of which another word says it better.
var setupNames = map[string]map[adminv1.SetupState]string{
	"public_url":   {adminv1.SetupState_SETUP_STATE_ACTION_NEEDED: "Needs setup"},
	"rovo_domain":  {adminv1.SetupState_SETUP_STATE_DONE: "Allowed"},
	"ip_allowlist": {adminv1.SetupState_SETUP_STATE_DONE: "Allowed"},
}

// setupStates are the states for scripts.
var setupStates = map[adminv1.SetupState]string{
	adminv1.SetupState_SETUP_STATE_UNSPECIFIED:   "unknown",
	adminv1.SetupState_SETUP_STATE_DONE:          "done",
	adminv1.SetupState_SETUP_STATE_ACTION_NEEDED: "action_needed",
	adminv1.SetupState_SETUP_STATE_UNKNOWN:       "unknown",
}

// setupWord is whether an item is there, as people read it.
func setupWord(item *adminv1.SetupItem) string {
	return cmp.Or(setupNames[item.GetName()][item.GetState()], setupWords[item.GetState()].word)
}

// setupText is an item of the set-up as JSON.
type setupText struct {
	partText
	// Word is the state as the text has it, such as "Allowed".
	Word string `json:"word"`
	// CheckedAt is null where nothing was seen.
	CheckedAt *time.Time `json:"checked_at"`
}

func newSetupText(item *adminv1.SetupItem) setupText {
	text := setupText{partText: partText{item.GetName(), setupStates[item.GetState()], item.GetDetail()}, Word: setupWord(item)}
	if item.GetCheckedAt() != nil {
		at := item.GetCheckedAt().AsTime()
		text.CheckedAt = &at
	}
	return text
}

// How wide the columns of the set-up are, and the least that a detail is broken to.
const (
	setupName   = 15
	setupState  = 15
	leastDetail = 40
)

func showSetup(t *terminal, items []*adminv1.SetupItem) {
	if len(items) > 0 {
		t.printf("\nSet-up\n")
	}
	for _, item := range items {
		state := setupWords[item.GetState()]
		lines := broken(printable(item.GetDetail()), t.width-setupName-setupState)
		first := pad(printable(item.GetName()), setupName) + t.paint(pad(setupWord(item), setupState), state.tint) + lines[0]
		t.printf("%s\n", strings.TrimRight(first, " "))
		for _, line := range lines[1:] {
			t.printf("%s%s\n", strings.Repeat(" ", setupName+setupState), line)
		}
	}
}

// broken is a text in lines of at most width columns where its words allow it; one line where width is
// too small for that, as it is without a screen.
func broken(text string, width int) []string {
	lines := []string{""}
	for i, word := range strings.Fields(text) {
		last := &lines[len(lines)-1]
		switch {
		case i == 0:
			*last = word
		case width >= leastDetail && screens.StringWidth(*last)+1+screens.StringWidth(word) > width:
			lines = append(lines, word)
		default:
			*last += " " + word
		}
	}
	return lines
}

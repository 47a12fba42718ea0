package doctor

import (
	"fmt"
	"strings"
	"time"

	adminv1 "sallyport/proto/gen/go/sallyport/admin/v1"
)

// wellWords say what it means that a part or an item of the set-up is well.
var wellWords = map[string]string{
	"redis":         "It keeps what it is told on its disk, and drops nothing.",
	"elasticsearch": "It is well, and has room.",
	"rovo":          "Atlassian's MCP server and its sign-in answer identity.",
	"public_url":    "identity and admin agree on the public URL.",
	"ip_allowlist":  "Atlassian lets Sallyport's address in.",
	"groups":        "Jira takes the service credential, and tells groups.",
}

// setupChecks are the items of the set-up that keep assistants from working. What only makes it less safe, or
// is a notice, is said by the status.
var setupChecks = map[string]bool{"public_url": true, "rovo_domain": true, "ip_allowlist": true, "groups": true}

// examineInside judges what the admin service sees of its parts, and of Atlassian.
func examineInside(status *adminv1.GetStatusResponse) []Finding {
	if status == nil {
		const why = "The admin API, which sees this, couldn't be asked."
		return []Finding{skipped(Inside, "all", why), skipped(Atlassian, "all", why)}
	}
	var parts, atlassian []Finding
	for _, p := range status.GetParts() {
		f := partFinding(p)
		if p.GetName() == "rovo" {
			f.Area = Atlassian
			atlassian = append(atlassian, f)
			continue
		}
		parts = append(parts, f)
	}
	parts = append(parts, clocksFinding(status.GetParts()), recordsFinding(status), policyFinding(status))
	for _, item := range status.GetSetup() {
		if setupChecks[item.GetName()] {
			atlassian = append(atlassian, setupFinding(item))
		}
	}
	return append(parts, atlassian...)
}

func partFinding(p *adminv1.Part) Finding {
	f := Finding{Area: Inside, Check: p.GetName(), State: Problem, Sentence: fault(p.GetDetail(), p.GetRemedy()), Remedy: p.GetRemedy()}
	switch p.GetState() {
	case adminv1.PartState_PART_STATE_READY:
		f.State, f.Remedy = OK, ""
		f.Sentence = wellWords[p.GetName()]
		if f.Sentence == "" {
			f.Sentence = "It is ready."
		}
	case adminv1.PartState_PART_STATE_UNSPECIFIED:
		f.State = Skipped
	case adminv1.PartState_PART_STATE_DEGRADED, adminv1.PartState_PART_STATE_DOWN:
	}
	return f
}

func setupFinding(item *adminv1.SetupItem) Finding {
	f := Finding{Area: Atlassian, Check: item.GetName(), State: Skipped, Sentence: fault(item.GetDetail(), item.GetRemedy()), Remedy: sentence(item.GetRemedy())}
	switch item.GetState() {
	case adminv1.SetupState_SETUP_STATE_DONE:
		f.State, f.Remedy = OK, ""
		if f.Sentence == "" {
			f.Sentence = wellWords[item.GetName()]
		}
	case adminv1.SetupState_SETUP_STATE_UNSPECIFIED, adminv1.SetupState_SETUP_STATE_UNKNOWN:
	case adminv1.SetupState_SETUP_STATE_ACTION_NEEDED:
		f.State = Problem
		// On the computer itself there is nothing to do: it is enough for trying out.
		if f.Remedy == "" {
			f.State = OK
		}
	}
	return f
}

// fault is a detail without the remedy at its end.
func fault(detail, remedy string) string {
	rest := strings.TrimSpace(strings.TrimSuffix(detail, remedy))
	if rest == "" {
		return ""
	}
	return strings.TrimRight(rest, ".:") + "."
}

// sentence begins with a capital.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// clocksFinding compares the clocks of the parts with the admin service's.
func clocksFinding(parts []*adminv1.Part) Finding {
	f := Finding{Area: Inside, Check: "clocks", State: Skipped, Sentence: "No part tells what time it is."}
	var off []string
	for _, p := range parts {
		if p.GetClockAhead() == nil {
			continue
		}
		f.State, f.Sentence = OK, "The parts' clocks agree."
		if ahead := p.GetClockAhead().AsDuration(); ahead.Abs() > mostOff {
			off = append(off, fmt.Sprintf("of %s is %s the admin service's", p.GetName(), apart(ahead)))
		}
	}
	if len(off) > 0 {
		f.State, f.Sentence, f.Remedy = Problem, "The clock "+strings.Join(off, ", the one ")+".", clockRemedy
	}
	return f
}

// recordsFinding says how far the log is behind; that it is too far is said of accesslog.
func recordsFinding(status *adminv1.GetStatusResponse) Finding {
	f := Finding{Area: Inside, Check: "records", State: OK, Sentence: "All records are indexed."}
	for _, p := range status.GetParts() {
		if p.GetName() == "redis" && p.GetState() == adminv1.PartState_PART_STATE_DOWN {
			return skipped(Inside, "records", "Redis, where they wait to be indexed, doesn't answer.")
		}
	}
	if waiting := status.GetWaiting(); waiting > 0 {
		behind := status.GetBehind().AsDuration()
		f.Sentence = fmt.Sprintf("%d records wait to be indexed, the oldest for %s.", waiting, roughly(behind))
		if behind > longBehind {
			f.State = Problem
			f.Remedy = "See what is said of elasticsearch and accesslog, and look into their logs; nothing is lost meanwhile."
		}
	}
	return f
}

// longBehind is from when on it isn't catching up after a restart.
const longBehind = time.Minute

// policyFinding says whether there are rules to decide by.
func policyFinding(status *adminv1.GetStatusResponse) Finding {
	for _, p := range status.GetParts() {
		if p.GetName() == "redis" && p.GetState() == adminv1.PartState_PART_STATE_DOWN {
			return skipped(Inside, "policy", "Redis, where it is, doesn't answer.")
		}
	}
	if status.GetPolicyVersion() == 0 {
		return Finding{Inside, "policy", Problem, "There is no policy, and without one every call is refused.", "Save one: `sallyport policy apply policy.yaml`."}
	}
	return Finding{Inside, "policy", OK, fmt.Sprintf("Version %d is in force.", status.GetPolicyVersion()), ""}
}

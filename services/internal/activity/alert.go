package activity

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// AlertKind is ECS event.kind of alerts.
const AlertKind = "alert"

// The alerts, as ECS event.action.
const (
	// AlertFirstBlock is that a person was blocked by a rule for the first time.
	AlertFirstBlock = "alert.first_block"
	// AlertNewClient is that an assistant made a call for the first time.
	AlertNewClient = "alert.new_client"
	// AlertBlockRate is that more than a share of calls was blocked.
	AlertBlockRate = "alert.block_rate"
)

// Alert is what raised an alert, beside the person, assistant, operation and rule, which it has in common with
// the record that raised it.
type Alert struct {
	// Record is the id of that record.
	Record string `json:"record,omitzero"`
	// Refusal is that record's, which was blocked without asking the policy.
	Refusal string `json:"refusal,omitzero"`
	// Blocked of Calls were blocked since Since, of a block rate.
	Blocked int       `json:"blocked,omitzero"`
	Calls   int       `json:"calls,omitzero"`
	Since   time.Time `json:"since,omitzero"`
}

// Message is an alert as a sentence, and how to see what it is about; empty of a record that is no alert. It
// isn't stored, so that whoever is erased from records is in no sentence either.
func (r Record) Message() string {
	a := r.Sallyport.Alert
	if a == nil {
		return ""
	}
	find := fmt.Sprintf("See it: sallyport log show %s", a.Record)
	switch r.Event.Action {
	case AlertFirstBlock:
		return fmt.Sprintf("%s was blocked for the first time %s: %s with %s. %s", r.who(), r.why(), r.what(), r.with(), find)
	case AlertNewClient:
		return fmt.Sprintf("%s made its first call, for %s: %s. %s", r.with(), r.who(), r.what(), find)
	case AlertBlockRate:
		until := r.Timestamp.UTC().Add(time.Second).Truncate(time.Second)
		return fmt.Sprintf("%d of %d calls were blocked (%d%%) since %s. The last was %s of %s with %s, %s. See them: sallyport log --decision blocked --since %s --until %s",
			a.Blocked, a.Calls, 100*a.Blocked/max(a.Calls, 1), a.Since.UTC().Format(time.TimeOnly+" MST"), r.what(), r.who(), r.with(), r.why(),
			a.Since.UTC().Format(time.RFC3339), until.Format(time.RFC3339))
	}
	return fmt.Sprintf("%s, for %s. %s", r.Event.Action, r.who(), find)
}

func (r Record) who() string {
	if r.User == nil {
		return "somebody"
	}
	name, address := r.User.Name, cmp.Or(r.User.Email, r.User.ID)
	if name == "" || name == address {
		return cmp.Or(address, "somebody")
	}
	return fmt.Sprintf("%s (%s)", name, address)
}

func (r Record) why() string {
	rule, refusal := r.Sallyport.Rule, r.Sallyport.Alert.Refusal
	switch {
	case refusal != "":
		return fmt.Sprintf("without asking a rule (%s)", refusal)
	case rule == nil:
		return "by the default, since no rule matched"
	case rule.Note == "":
		return fmt.Sprintf("by rule %d", rule.Number)
	}
	return fmt.Sprintf("by rule %d (%q)", rule.Number, rule.Note)
}

func (r Record) what() string {
	if o := r.Sallyport.Operation; o != nil && o.Name != "" {
		return o.Name
	}
	return cmp.Or(r.Event.Action, "a request")
}

func (r Record) with() string {
	c := r.Sallyport.Client
	if c == nil {
		return "an assistant"
	}
	text := cmp.Or(c.Name, c.Key, "an assistant")
	if facts := strings.Trim(strings.Join([]string{c.Key, c.Class}, ", "), ", "); facts != "" {
		text += " (" + facts + ")"
	}
	return text
}

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// report is what was found out.
type report struct {
	OK        bool       `json:"ok"`
	Revisions []revision `json:"revisions"`
	// Alone are the scenarios that only Sallyport is asked.
	Alone []row `json:"sallyport"`
	// Complaints are about checks of theirs that don't pass.
	Complaints []string `json:"complaints,omitempty"`
}

// revision is the comparison for one revision of MCP.
type revision struct {
	Revision    string       `json:"revision"`
	Rows        []row        `json:"scenarios"`
	Differences []difference `json:"differences,omitempty"`
}

// lost counts the checks that pass directly and not through Sallyport.
func (r revision) lost() (n int) {
	for _, d := range r.Differences {
		if d.lost() {
			n++
		}
	}
	return n
}

// sum adds up all scenarios.
func (r revision) sum() row {
	all := row{Scenario: "all"}
	for _, one := range r.Rows {
		all.Direct.Passed += one.Direct.Passed
		all.Direct.Decided += one.Direct.Decided
		all.Through.Passed += one.Through.Passed
		all.Through.Decided += one.Through.Decided
	}
	return all
}

// failingDirectly names the scenarios that have a check which fails directly as well.
func (r revision) failingDirectly() (names []string) {
	for _, one := range r.Rows {
		if one.Direct.Passed < one.Direct.Decided {
			names = append(names, one.Scenario)
		}
	}
	return names
}

func (t tally) String() string { return fmt.Sprintf("%d/%d", t.Passed, t.Decided) }

// print writes tables for people, and then what they mean in sentences.
func (r report) print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 3, ' ', 0)
	for _, one := range r.Revisions {
		fmt.Fprintf(table, "%s, checks that pass\tdirectly\tthrough Sallyport\n", one.Revision)
		for _, s := range append(one.Rows, one.sum()) {
			fmt.Fprintf(table, "  %s\t%s\t%s\n", s.Scenario, s.Direct, s.Through)
		}
		fmt.Fprintln(table)
	}
	fmt.Fprintln(table, "Sallyport itself, checks that pass")
	for _, s := range r.Alone {
		fmt.Fprintf(table, "  %s\t%s\n", s.Scenario, s.Through)
	}
	fmt.Fprintln(table)
	err := table.Flush()
	if err != nil {
		return err
	}
	for _, sentence := range r.sentences() {
		_, err = fmt.Fprintln(to, sentence)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r report) sentences() (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	lost := 0
	for _, one := range r.Revisions {
		lost += one.lost()
		sum := one.sum()
		say("%s: %d of %d checks pass directly, %d of %d through Sallyport.", one.Revision, sum.Direct.Passed, sum.Direct.Decided, sum.Through.Passed, sum.Through.Decided)
		if failing := one.failingDirectly(); len(failing) > 0 {
			say("%s: these fail directly as well: %s.", one.Revision, strings.Join(failing, ", "))
		}
		for _, d := range one.Differences {
			say("%s: %s, check %s: %s directly, %s through Sallyport.%s", one.Revision, d.Scenario, d.Check, d.Direct, d.Through, quoted(d.Message))
		}
	}
	for _, complaint := range r.Complaints {
		say("Sallyport itself: %s", complaint)
	}
	if lost > 0 {
		say("%d checks pass directly and not through Sallyport.", lost)
	}
	if r.OK {
		say("Everything that passes directly passes through Sallyport too, and Sallyport passes its own scenarios.")
	}
	return all
}

func quoted(message string) string {
	if message == "" {
		return ""
	}
	return " The suite says: " + strings.Join(strings.Fields(message), " ")
}

// add takes in a scenario that only Sallyport is asked.
func (r *report) add(s scenario) {
	one := row{Scenario: s.name}
	for _, c := range s.checks {
		one.Through.add(c.Status)
		if c.Status != success {
			r.Complaints = append(r.Complaints, fmt.Sprintf("%s, check %s: %s.%s", s.name, c.ID, c.Status, quoted(c.Message)))
		}
	}
	r.Alone = append(r.Alone, one)
}

// passes says whether nothing is lost through Sallyport, and whether enough was run to say so.
func (r report) passes() bool {
	for _, one := range r.Revisions {
		if one.lost() > 0 {
			return false
		}
	}
	for _, one := range r.Alone {
		if one.Through.Passed == 0 || one.Through.Passed < one.Through.Decided {
			return false
		}
	}
	return len(r.Revisions) == len(revisions) && len(r.Alone) == scenariosAlone
}

// scenariosAlone is how many scenarios only Sallyport is asked: two of the suite, and the stream.
const scenariosAlone = 3

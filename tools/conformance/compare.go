package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// The statuses that the suite gives a check. Others, such as INFO, say nothing about it.
const (
	success = "SUCCESS"
	failure = "FAILURE"
	// missing is ours, for a check that one of two runs has and the other hasn't.
	missing = "MISSING"
)

// check is one check as the suite writes it into checks.json.
type check struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Status  string `json:"status"`
	Message string `json:"errorMessage"`
}

// scenario is one scenario with its checks, in the order in which they were made.
type scenario struct {
	name   string
	checks []check
}

// folderName is what the suite calls the folder of a scenario: what was tested, the scenario, and when.
var folderName = regexp.MustCompile(`^(?:authorization-server-|server-)?(.+)-(\d{4}-\d\d-\d\dT[\d-]+Z)$`)

// readScenarios reads what the suite has written into a folder, in the order in which it ran.
func readScenarios(folder string) ([]scenario, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*", "checks.json"))
	if err != nil {
		return nil, err
	}
	when := func(path string) string {
		if parts := folderName.FindStringSubmatch(filepath.Base(filepath.Dir(path))); parts != nil {
			return parts[2]
		}
		return ""
	}
	slices.SortStableFunc(paths, func(a, b string) int { return cmp.Compare(when(a), when(b)) })
	var all []scenario
	for _, path := range paths {
		parts := folderName.FindStringSubmatch(filepath.Base(filepath.Dir(path)))
		if parts == nil {
			return nil, fmt.Errorf("the suite's folder %s isn't named as this version names them", filepath.Dir(path))
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		one := scenario{name: parts[1]}
		err = json.Unmarshal(text, &one.checks)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the suite has written no results into %s", folder)
	}
	return all, nil
}

// tally counts a scenario's checks that pass and all that were decided.
type tally struct {
	Passed  int `json:"passed"`
	Decided int `json:"decided"`
}

func (t *tally) add(status string) {
	switch status {
	case success:
		t.Passed++
		t.Decided++
	case failure:
		t.Decided++
	}
}

// row is a scenario of the report.
type row struct {
	Scenario string `json:"scenario"`
	Direct   tally  `json:"direct"`
	Through  tally  `json:"through_sallyport"`
}

// difference is a check whose status isn't the same through Sallyport.
type difference struct {
	Scenario string `json:"scenario"`
	Check    string `json:"check"`
	Direct   string `json:"direct"`
	Through  string `json:"through_sallyport"`
	// Message is the suite's, about the side that doesn't pass.
	Message string `json:"message,omitempty"`
}

// lost says that the check passes directly and not through Sallyport.
func (d difference) lost() bool { return d.Direct == success }

// compare sets two runs of the same scenarios side by side. A scenario or check that only one of
// them has differs too.
func compare(direct, through []scenario) (rows []row, differences []difference) {
	other := map[string]scenario{}
	for _, s := range through {
		other[s.name] = s
	}
	for _, s := range direct {
		r, d := compareScenario(s, other[s.name])
		rows, differences = append(rows, r), append(differences, d...)
		delete(other, s.name)
	}
	for _, s := range through {
		if _, only := other[s.name]; only {
			r, d := compareScenario(scenario{name: s.name}, s)
			rows, differences = append(rows, r), append(differences, d...)
		}
	}
	return rows, differences
}

func compareScenario(direct, through scenario) (row, []difference) {
	r := row{Scenario: direct.name}
	names, before := keyed(direct.checks)
	more, after := keyed(through.checks)
	for _, name := range more {
		if _, known := before[name]; !known {
			names = append(names, name)
		}
	}
	var differences []difference
	for _, name := range names {
		one, other := before[name], after[name]
		r.Direct.add(one.Status)
		r.Through.add(other.Status)
		d := difference{Scenario: r.Scenario, Check: name, Direct: cmp.Or(one.Status, missing), Through: cmp.Or(other.Status, missing)}
		if d.Direct == d.Through {
			continue
		}
		d.Message = one.Message
		if d.lost() {
			d.Message = other.Message
		}
		differences = append(differences, d)
	}
	return r, differences
}

// keyed names each check, also where a scenario makes the same one several times.
func keyed(checks []check) (names []string, by map[string]check) {
	by = map[string]check{}
	seen := map[string]int{}
	for _, c := range checks {
		name := c.ID
		if c.Name != "" && c.Name != c.ID {
			name += " " + c.Name
		}
		seen[name]++
		if n := seen[name]; n > 1 {
			name = fmt.Sprintf("%s (%d)", name, n)
		}
		names = append(names, name)
		by[name] = c
	}
	return names, by
}

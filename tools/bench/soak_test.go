package main

import (
	"bytes"
	"strings"
	"testing"

	"sallyport/services/policy"
	"sallyport/services/policyfile"
	"sallyport/tools/bench/series"
)

// TestSoakPolicy shows that both policies have ten rules and differ in the one that the soak looks at.
func TestSoakPolicy(t *testing.T) {
	for denied, want := range map[bool]policy.Effect{true: policy.Deny, false: policy.Allow} {
		file, err := policyfile.Read("soak.yaml", []byte(soakPolicy(denied)))
		if err != nil || len(file.Policy.Rules) != 10 {
			t.Fatalf("%+v: %v", file, err)
		}
		if rule := file.Policy.Rules[1]; rule.Operation != soakTool || rule.Effect != want {
			t.Errorf("where it is denied is %v the rule is %+v", denied, rule)
		}
	}
}

// TestSoakedOK shows what makes a soak fail, and that it is said.
func TestSoakedOK(t *testing.T) {
	grows := series.Series{Kind: "memory", Of: "authz", Unit: "MiB", Floor: 16, Points: []float64{30, 30, 60, 60, 90, 90}}
	kept := series.Series{Kind: "kept", Of: "records", MayGrow: true, Points: grows.Points}
	for said, s := range map[string]soaked{
		"No call failed":                       {Series: []series.Series{kept}},
		"memory of authz grows":                {Series: []series.Series{grows, kept}},
		"3 calls failed: 503 full":             {Failed: map[string]int{"503 full": 3}},
		"createJiraIssue was allowed although": {Problems: []string{"policy, change 0: createJiraIssue was allowed although it is denied now"}},
	} {
		var out bytes.Buffer
		s.print(&out)
		if ok := said == "No call failed"; s.OK() != ok || !strings.Contains(out.String(), said) || strings.Contains(out.String(), "No call failed") != ok {
			t.Errorf("%q: %v and says\n%s", said, s.OK(), &out)
		}
	}
}

package metrics_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// dashboard is what Grafana has to find in the file.
type dashboard struct {
	UID, Title    string
	SchemaVersion int
	Templating    struct {
		List []struct{ Name, Type, Query string }
	}
	Panels []panel
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               struct{ Type, UID string }
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []struct {
		RefID, Expr, LegendFormat string
		Datasource                struct{ Type, UID string }
	}
}

// gridWidth is how many columns Grafana has.
const gridWidth = 24

// TestDashboard holds each panel against docs/metrics.md, and the file against what Grafana needs.
func TestDashboard(t *testing.T) {
	all := documented(t)
	var d dashboard
	err := json.Unmarshal([]byte(read(t, "deploy/grafana/sallyport.json")), &d)
	if err != nil {
		t.Fatal(err)
	}
	if d.UID == "" || d.Title == "" || d.SchemaVersion < 36 {
		t.Errorf("uid %q, title %q, schemaVersion %d: Grafana needs all, and panels refer to data sources in this way since 36", d.UID, d.Title, d.SchemaVersion)
	}
	variables := d.Templating.List
	if len(variables) != 1 || variables[0].Name != "datasource" || variables[0].Type != "datasource" || variables[0].Query != "prometheus" {
		t.Errorf("the variables are %+v, want the data source", variables)
	}
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		t.Run(p.Title, func(t *testing.T) {
			if p.ID == 0 || ids[p.ID] {
				t.Errorf("the id is %d, which is none or another panel's", p.ID)
			}
			ids[p.ID] = true
			p.occupy(t, taken)
			if p.Type != "row" {
				p.look(t, all)
			}
		})
	}
	if len(d.Panels) == 0 {
		t.Error("there are no panels")
	}
}

// occupy takes the panel's place, which nobody may have.
func (p panel) occupy(t *testing.T, taken map[[2]int]string) {
	t.Helper()
	at := p.GridPos
	if at.W < 1 || at.H < 1 || at.X < 0 || at.X+at.W > gridWidth {
		t.Errorf("it is at %+v, beyond the %d columns", at, gridWidth)
	}
	for x := at.X; x < at.X+at.W; x++ {
		for y := at.Y; y < at.Y+at.H; y++ {
			if other, ok := taken[[2]int{x, y}]; ok {
				t.Fatalf("it lies over %s", other)
			}
			taken[[2]int{x, y}] = p.Title
		}
	}
}

func (p panel) look(t *testing.T, all map[string]metric) {
	t.Helper()
	if p.Title == "" || !strings.HasSuffix(p.Description, ".") {
		t.Errorf("the description isn't a sentence: %q", p.Description)
	}
	if len(p.Targets) == 0 {
		t.Error("it shows nothing")
	}
	refs := map[string]bool{}
	for _, target := range p.Targets {
		if target.RefID == "" || refs[target.RefID] {
			t.Errorf("the refId is %q, which is none or another's", target.RefID)
		}
		refs[target.RefID] = true
		if target.Datasource.UID != "${datasource}" || p.Datasource.UID != "${datasource}" {
			t.Error("it doesn't go by the variable for the data source")
		}
		// Grafana fills in how far apart the points of the panel are.
		check(t, all, strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"))
	}
}

// Package series judges and shows what was looked at again and again during a soak.
package series

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// Bound is how much the median of a series' last third may be above that of its first, as a part of that.
const Bound = 0.10

// enough is how many points a third has at least, and Least how many a series has after Warm, to be judged.
const (
	enough = 2
	Least  = 3 * enough
)

// Series is one figure over time.
type Series struct {
	// Kind is what is looked at, such as memory, and Of whose it is.
	Kind string `json:"kind"`
	Of   string `json:"of"`
	Unit string `json:"unit"`
	// Floor is the growth, in its unit, below which it is none, however small the figure is.
	Floor float64 `json:"floor"`
	// Warm is how many of the first points are of the time in which everything comes to its size, and aren't judged.
	Warm int `json:"warm"`
	// MayGrow says that it grows as it should, such as what is kept.
	MayGrow bool      `json:"may_grow"`
	Points  []float64 `json:"points"`
}

// Verdict is what is said of a series.
type Verdict struct {
	// First and Last are the medians of its first and last third after Warm.
	First float64 `json:"first"`
	Last  float64 `json:"last"`
	// Judged is false where there are too few points.
	Judged bool `json:"judged"`
	Grows  bool `json:"grows"`
}

// Judge says whether a series grows: by more than Bound and by more than its Floor.
func (s Series) Judge() Verdict {
	points := s.Points[min(s.Warm, len(s.Points)):]
	third := len(points) / 3
	if third < enough {
		return Verdict{}
	}
	v := Verdict{First: median(points[:third]), Last: median(points[len(points)-third:]), Judged: true}
	v.Grows = v.Last-v.First > max(s.Floor, Bound*v.First)
	return v
}

// median is the middle one, or the mean of the two in the middle.
func median(points []float64) float64 {
	sorted := slices.Sorted(slices.Values(points))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Growing are those of all that grow and shouldn't.
func Growing(all []Series) []Series {
	return slices.DeleteFunc(slices.Clone(all), func(s Series) bool { return s.MayGrow || !s.Judge().Grows })
}

// Table prints for each series what it was like, and whether it grows.
func Table(out io.Writer, all []Series) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "what\tof\tunit\tfirst third\tlast third\tmost\tmay grow by\t\t")
	for _, s := range all {
		if len(s.Points) == 0 {
			continue
		}
		v := s.Judge()
		first, last, may, said := "-", "-", "-", "too short to say"
		if v.Judged {
			first, last, may, said = s.text(v.First), s.text(v.Last), s.text(max(s.Floor, Bound*v.First)), "steady"
		}
		switch {
		case s.MayGrow:
			may, said = "any", "not judged"
		case v.Grows:
			said = "GROWS"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", s.Kind, s.Of, s.Unit, first, last, s.text(slices.Max(s.Points)), may, said)
	}
	_ = table.Flush() // as of fmt.Fprintln, nobody could be told
}

// text is a figure with as many digits as its unit needs.
func (s Series) text(figure float64) string {
	if s.Unit == "ms" {
		return fmt.Sprintf("%.2f", figure)
	}
	return fmt.Sprintf("%.0f", figure)
}

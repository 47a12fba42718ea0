package series

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	// columns is how many plots are side by side, each of tileWidth and tileHeight.
	columns               = 2
	tileWidth, tileHeight = 3.6 * vg.Inch, 1.8 * vg.Inch
)

// family is the font as the file names it.
const family = "font-family:Liberation Sans"

var (
	ink  = color.RGBA{R: 0x17, G: 0x4e, B: 0xa6, A: 0xff}
	warm = color.RGBA{R: 0x99, G: 0x99, B: 0x99, A: 0xff}
)

// Plot writes a file KIND.svg for each kind of series into a folder, with a plot of its own for each series, over
// minutes. The time of warming up is grey.
func Plot(folder string, all []Series, every time.Duration) error {
	var kinds []string
	of := map[string][]Series{}
	for _, s := range all {
		if !slices.Contains(kinds, s.Kind) {
			kinds = append(kinds, s.Kind)
		}
		of[s.Kind] = append(of[s.Kind], s)
	}
	for _, kind := range kinds {
		err := plotKind(filepath.Join(folder, kind+".svg"), of[kind], every)
		if err != nil {
			return fmt.Errorf("the plot of %s: %w", kind, err)
		}
	}
	return nil
}

// plotKind writes one file.
func plotKind(path string, some []Series, every time.Duration) error {
	rows := (len(some) + columns - 1) / columns
	plots := make([][]*plot.Plot, rows)
	for i := range rows {
		plots[i] = make([]*plot.Plot, columns)
	}
	for i, s := range some {
		one, err := plotOf(s, every)
		if err != nil {
			return err
		}
		plots[i/columns][i%columns] = one
	}
	canvas := vgsvg.New(columns*tileWidth, vg.Length(rows)*tileHeight)
	whole := draw.New(canvas)
	whole.SetColor(color.White)
	whole.Fill(whole.Path())
	pad := vg.Points(8)
	tiles := draw.Tiles{Rows: rows, Cols: columns, PadX: pad, PadY: pad, PadTop: pad, PadBottom: pad, PadLeft: pad, PadRight: pad}
	for i, row := range plot.Align(plots, tiles, whole) {
		for j, place := range row {
			if plots[i][j] != nil {
				plots[i][j].Draw(place)
			}
		}
	}
	var text bytes.Buffer
	_, err := canvas.WriteTo(&text)
	if err != nil {
		return err
	}
	// Not everybody has this font, and it isn't part of the file.
	return os.WriteFile(path, bytes.ReplaceAll(text.Bytes(), []byte(family), []byte(family+",Arial,sans-serif")), 0o644)
}

// plotOf is the plot of one series, from zero.
func plotOf(s Series, every time.Duration) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = s.Kind + ", " + s.Of
	if s.Unit != "" {
		p.Title.Text += ", " + s.Unit
	}
	p.X.Label.Text = "minutes"
	for _, style := range []*font.Font{&p.Title.TextStyle.Font, &p.X.Label.TextStyle.Font, &p.X.Tick.Label.Font, &p.Y.Tick.Label.Font} {
		style.Variant, style.Size = "Sans", vg.Points(8)
	}
	points := make(plotter.XYs, len(s.Points))
	for i, figure := range s.Points {
		points[i] = plotter.XY{X: float64(i+1) * every.Minutes(), Y: figure}
	}
	turn := min(s.Warm, len(points))
	// The line goes on from the last grey point.
	for _, part := range []struct {
		points plotter.XYs
		color  color.Color
	}{{points[:turn], warm}, {points[max(0, turn-1):], ink}} {
		line, err := plotter.NewLine(part.points)
		if errors.Is(err, plotter.ErrNoData) {
			continue
		}
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = part.color, vg.Points(1.2)
		p.Add(line)
	}
	p.Y.Min = 0
	if p.Y.Max <= 0 {
		p.Y.Max = 1
	}
	return p, nil
}

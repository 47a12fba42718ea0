package main

import (
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
)

// gap is the blanks between two columns.
const gap = 2

// table is text in columns that are made narrower until they fit the screen.
type table struct {
	columns []column
	rows    [][]cell
	// bare leaves the titles out.
	bare bool
}

// column is one column. least is what it may be narrowed to, 0 if it may not be; most is its
// greatest width, 0 for any. A spare one is left out before others are narrowed; those with drop
// are left out where narrowing isn't enough, 1 first.
type column struct {
	title       string
	least, most int
	spare       bool
	drop        int
}

// screens counts columns as terminals do today, whatever the language: one for a character whose
// width Unicode leaves open (Unicode Standard Annex 11).
var screens = &runewidth.Condition{}

type cell struct {
	text string
	tint tint
}

func (t *table) add(cells ...cell) {
	for i := range cells {
		cells[i].text = printable(cells[i].text)
	}
	t.rows = append(t.rows, cells)
}

func (t *table) write(to *terminal) {
	widths := t.widths(to.width)
	titles := make([]cell, len(t.columns))
	for i, c := range t.columns {
		titles[i] = cell{c.title, faint}
	}
	rows := append([][]cell{titles}, t.rows...)
	if t.bare {
		rows = t.rows
	}
	for _, row := range rows {
		var line strings.Builder
		for i, c := range row {
			if widths[i] == 0 {
				continue
			}
			text := screens.Truncate(c.text, widths[i], "…")
			line.WriteString(to.paint(text, c.tint))
			line.WriteString(strings.Repeat(" ", widths[i]-screens.StringWidth(text)+gap))
		}
		to.printf("%s\n", strings.TrimRight(line.String(), " "))
	}
}

// widths returns each column's width so that a row fits into screen columns, 0 for one that is
// left out. Without a screen nothing is narrowed.
func (t *table) widths(screen int) []int {
	widths := make([]int, len(t.columns))
	for i, c := range t.columns {
		widths[i] = screens.StringWidth(c.title)
		for _, row := range t.rows {
			widths[i] = max(widths[i], screens.StringWidth(row[i].text))
		}
		if c.most > 0 {
			widths[i] = min(widths[i], c.most)
		}
	}
	if screen == 0 {
		return widths
	}
	t.narrow(widths, screen, func(c column) bool { return c.spare })
	for i, c := range t.columns {
		if c.spare && total(widths) > screen {
			widths[i] = 0
		}
	}
	for next := 1; next <= len(t.columns) && total(t.narrowest(widths)) > screen; next++ {
		for i, c := range t.columns {
			if c.drop == next {
				widths[i] = 0
			}
		}
	}
	t.narrow(widths, screen, func(c column) bool { return !c.spare })
	return widths
}

// narrowest returns the least widths that columns can have.
func (t *table) narrowest(widths []int) []int {
	least := slices.Clone(widths)
	for i, c := range t.columns {
		if c.least > 0 {
			least[i] = min(widths[i], c.least)
		}
	}
	return least
}

// narrow takes from the widest of some columns, one screen column at a time, until all fit.
func (t *table) narrow(widths []int, screen int, some func(column) bool) {
	for total(widths) > screen {
		widest := -1
		for i, c := range t.columns {
			if some(c) && c.least > 0 && widths[i] > c.least && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

func total(widths []int) int {
	sum := -gap
	for _, w := range widths {
		if w > 0 {
			sum += w + gap
		}
	}
	return sum
}

// pad fills text up with blanks.
func pad(text string, width int) string { return screens.FillRight(text, width) }

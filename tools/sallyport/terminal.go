package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// terminal is where answers are shown.
type terminal struct {
	out io.Writer
	// width is the columns of the screen; 0 where out isn't one, and nothing needs to fit.
	width  int
	colour bool
}

// newTerminal looks at what out is. Colour is for a screen, unless NO_COLOR is set
// (https://no-color.org).
func newTerminal(out *os.File) *terminal {
	t := &terminal{out: out}
	if !term.IsTerminal(int(out.Fd())) {
		return t
	}
	width, _, err := term.GetSize(int(out.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	t.width = width
	t.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return t
}

func (t *terminal) printf(format string, args ...any) {
	fmt.Fprintf(t.out, format, args...)
}

// tint is a colour by its SGR code (ECMA-48, section 8.3.117).
type tint string

const (
	plain  tint = ""
	red    tint = "31"
	green  tint = "32"
	yellow tint = "33"
	faint  tint = "2"
)

func (t *terminal) paint(text string, c tint) string {
	if !t.colour || c == plain || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// printable replaces what a terminal would obey or hide: names, notes and arguments come from
// assistants and from what they read, which may be written to deceive whoever reads the log.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case !unicode.IsPrint(r):
			return '\uFFFD'
		}
		return r
	}, text)
}

// printableLines is printable for a text of several lines.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

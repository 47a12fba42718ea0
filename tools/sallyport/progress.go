package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// progressLines is how often a line is written where nothing can be written over.
const progressLines = 2 * time.Second

// progress says on standard error how far a command is, so that standard output is the answer alone.
type progress struct {
	out io.Writer
	// screen says that a line can be written over.
	screen bool
	width  int
	last   time.Time
}

func newProgress() *progress {
	return &progress{out: os.Stderr, screen: term.IsTerminal(int(os.Stderr.Fd())), last: time.Now()}
}

func (p *progress) say(text string) {
	if p.screen {
		fmt.Fprintf(p.out, "\r%s%s", text, strings.Repeat(" ", max(0, p.width-len(text))))
		p.width = len(text)
		return
	}
	if time.Since(p.last) >= progressLines {
		p.last = time.Now()
		fmt.Fprintln(p.out, text)
	}
}

// done takes the line away.
func (p *progress) done() {
	if p.width > 0 {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", p.width))
	}
}

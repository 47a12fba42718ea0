package doctor

import (
	"fmt"
	"time"
)

// mostOff is how far two clocks may be apart: certificates, tokens and the order of records suffer beyond it.
const mostOff = 30 * time.Second

const clockRemedy = "Have both computers keep time: `timedatectl set-ntp true`; `timedatectl` says which of them is off."

// clockFinding compares the time that a clock told between two moments of this computer's with them.
func clockFinding(area, whose string, told, asked, answered time.Time) Finding {
	f := Finding{Area: area, Check: "clock", State: OK, Sentence: "Its clock and this computer's agree."}
	var off time.Duration
	switch {
	case told.Before(asked):
		off = told.Sub(asked)
	case told.After(answered):
		off = told.Sub(answered)
	}
	if off.Abs() > mostOff {
		f.State, f.Remedy = Problem, clockRemedy
		f.Sentence = fmt.Sprintf("The clock of %s is %s this computer's.", whose, apart(off))
	}
	return f
}

// apart says how far a clock is ahead of another.
func apart(ahead time.Duration) string {
	if ahead < 0 {
		return roughly(-ahead) + " behind"
	}
	return roughly(ahead) + " ahead of"
}

// roughly is a time as people say it.
func roughly(d time.Duration) string {
	for _, unit := range []struct {
		name string
		is   time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		n := int64((d + unit.is/2) / unit.is)
		switch {
		case n == 1:
			return "1 " + unit.name
		case n > 1:
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return "less than a second"
}

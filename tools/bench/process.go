package main

import (
	"fmt"

	"github.com/prometheus/procfs"
)

// usage is what a process has used of the machine.
type usage struct {
	// CPU is seconds of a core, since it began; Memory is bytes that are resident.
	CPU    float64
	Memory int
}

// usageOf reads what processes have used, by their names.
func usageOf(pids map[string]int) (map[string]usage, error) {
	all := map[string]usage{}
	for name, pid := range pids {
		process, err := procfs.NewProc(pid)
		if err != nil {
			return nil, fmt.Errorf("%s (process %d) has ended: %w", name, pid, err)
		}
		stat, err := process.Stat()
		if err != nil {
			return nil, fmt.Errorf("what %s (process %d) uses: %w", name, pid, err)
		}
		all[name] = usage{stat.CPUTime(), stat.ResidentMemory()}
	}
	return all, nil
}

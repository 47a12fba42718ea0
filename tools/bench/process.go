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

// usageOfFamily is what a process and all that it started have used together.
func usageOfFamily(pid int) (sum usage, _ error) {
	running, err := procfs.AllProcs()
	if err != nil {
		return sum, err
	}
	children := map[int][]int{}
	for _, process := range running {
		stat, err := process.Stat()
		if err != nil {
			continue // it has ended
		}
		children[stat.PPID] = append(children[stat.PPID], process.PID)
	}
	pids := map[string]int{}
	for family := []int{pid}; len(family) > 0; family = family[1:] {
		pids[fmt.Sprintf("process %d of a gateway", family[0])] = family[0]
		family = append(family, children[family[0]]...)
	}
	all, err := usageOf(pids)
	for _, used := range all {
		sum.CPU, sum.Memory = sum.CPU+used.CPU, sum.Memory+used.Memory
	}
	return sum, err
}

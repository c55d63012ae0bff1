package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	kernel "github.com/cilium/ebpf"
)

// ran is how often a program has run, and for how long, by the kernel's statistics.
type ran struct{ times, nanos float64 }

// programsOf tells it of each program that a process holds, by name.
func programsOf(pid int) (map[string]ran, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		return nil, err
	}
	all, seen := map[string]ran{}, map[uint64]bool{}
	for _, file := range files {
		id := programIn(file)
		if id == 0 || seen[id] {
			continue
		}
		seen[id] = true
		if err := addProgram(all, id); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// programIn reads which program a descriptor is; 0: none, or one that is closed.
func programIn(file string) uint64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	isProgram := strings.Contains(string(text), "run_time_ns:") // links have the id as well
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "prog_id:"); ok && isProgram {
			id, _ := strconv.ParseUint(strings.TrimSpace(value), 10, 32)
			return id
		}
	}
	return 0
}

func addProgram(to map[string]ran, id uint64) error {
	program, err := kernel.NewProgramFromID(kernel.ProgramID(id))
	if err != nil {
		return err
	}
	defer func() { _ = program.Close() }() // it was looked at
	info, err := program.Info()
	if err != nil {
		return err
	}
	stats, err := program.Stats()
	if err != nil {
		return err
	}
	r := to[info.Name]
	to[info.Name] = ran{r.times + float64(stats.RunCount), r.nanos + float64(stats.Runtime)}
	return nil
}

// between is what all programs have done meanwhile.
func between(before, after map[string]ran) (sum ran) {
	for name, r := range after {
		sum.times += r.times - before[name].times
		sum.nanos += r.nanos - before[name].nanos
	}
	return sum
}

// profile prints what each program has done for an operation, the costliest first.
func profile(before, after map[string]ran, operations float64) {
	var names []string
	for name, r := range after {
		after[name] = ran{r.times - before[name].times, r.nanos - before[name].nanos}
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return int(after[b].nanos - after[a].nanos) })
	for _, name := range names {
		if r := after[name]; r.times/operations >= 0.01 {
			fmt.Printf("#   %-18s %5.2f runs %7.0f ns\n", name, r.times/operations, r.nanos/operations)
		}
	}
}

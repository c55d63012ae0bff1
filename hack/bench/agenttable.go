package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// times is how much more than the plain agent odi's may cost. Less than that is noise where others work, too.
const times = 1.3

// report adds the figures of a language, and prints them as a table.
func (b *bench) report(a application, prices map[string][]price) {
	rows := []struct {
		name, what, unit string
		of               func(price) float64
	}{
		{"ready_cpu_s", "CPU to the first answer", "s", func(p price) float64 { return p.ready }},
		{"request_cpu_us", "CPU per request", "us", func(p price) float64 { return p.request }},
		{"beside_cpu_us", "CPU per request of odi beside it", "us", func(p price) float64 { return p.beside }},
		{"rss_mib", "memory after the load", "MiB", func(p price) float64 { return p.mib }},
	}
	var table strings.Builder
	fmt.Fprintf(&table, "\n| %s | %s |\n|---|%s\n", a.what, strings.Join(ways, " | "), strings.Repeat("---|", len(ways)))
	for _, row := range rows {
		cells, values := []string{row.what}, map[string]float64{}
		for _, way := range ways {
			var samples []float64
			for _, p := range prices[way] {
				samples = append(samples, row.of(p))
			}
			values[way] = median(samples)
			b.add(figure{Name: fmt.Sprintf("%s_%s_%s", a.language, way, row.name), Unit: row.unit, Free: true, Samples: samples})
			cells = append(cells, fmt.Sprintf("%.3g %s", values[way], row.unit))
		}
		if values[plain] > 0 {
			b.add(figure{Name: fmt.Sprintf("%s_%s_to_plain", a.language, row.name), Unit: "times", Limit: times, Value: values[agent] / values[plain]})
		}
		fmt.Fprintf(&table, "| %s |\n", strings.Join(cells, " | "))
	}
	fmt.Println(table.String())
}

// tick is the unit of /proc/PID/stat.
const tick = time.Second / 100

// groupCPU is the time that the processes of a group have used, with those that ended in it.
func groupCPU(group int) (time.Duration, error) {
	var sum time.Duration
	err := eachOf(group, func(_ int, stat []string) error {
		for _, field := range stat[11:15] { // utime, stime, and those of children that were waited for.
			ticks, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return err
			}
			sum += time.Duration(ticks) * tick
		}
		return nil
	})
	return sum, err
}

// groupMiB is the memory of the processes of a group; what they share counts for each of them.
func groupMiB(group int) (float64, error) {
	var sum float64
	err := eachOf(group, func(pid int, _ []string) error {
		mib, err := residentMiB(pid)
		sum += mib
		return err
	})
	return sum, err
}

// eachOf calls do for each process of a group, with the fields of its stat after its name.
func eachOf(group int, do func(pid int, stat []string) error) error {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue // It has just ended.
		}
		text := string(content)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		if fields[2] != strconv.Itoa(group) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return err
		}
		if err := do(pid, fields); err != nil {
			return err
		}
	}
	return nil
}

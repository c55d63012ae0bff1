package main

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"time"
)

// talking are a server, on core 0, and a client, on core 1.
type talking struct {
	server int
	client *process
}

// window is one measurement: operations, and us of CPU for each of them.
type window struct {
	operations             float64
	server, client, beside float64
	// opened are operations before, on the same connections.
	opened int64
	// bpf is what the programs took of the kernel's time, in ns for each operation.
	bpf float64
	// runs is how often they ran for each.
	runs float64
	lost books
}

// measure has new connections made, and then asked on.
func (t talking) measure(d time.Duration, odi int) (w window, err error) {
	if w.opened, err = t.client.order("open"); err != nil {
		return w, err
	}
	pids := []int{t.server, t.client.pid()}
	if odi > 0 {
		pids = append(pids, odi)
	}
	before := make([]time.Duration, len(pids))
	for i, pid := range pids {
		if before[i], err = treeCPU(pid); err != nil {
			return w, err
		}
	}
	n, err := t.client.order(d.Milliseconds())
	if err != nil {
		return w, err
	}
	w.operations = float64(n)
	to := []*float64{&w.server, &w.client, &w.beside}
	for i, pid := range pids {
		after, err := treeCPU(pid)
		if err != nil {
			return w, err
		}
		*to[i] = float64((after - before[i]).Nanoseconds()) / 1000 / w.operations
	}
	return w, nil
}

// watched measures while odi watches one side. stats: the kernel measures the programs
// meanwhile, which costs time by itself.
func (b *bench) watched(t talking, pid int, stats bool) (w window, err error) {
	args := []string{"-o", "none"}
	for _, p := range tree(pid) { // workers that are there already, too
		args = append(args, "--pid", strconv.Itoa(p))
	}
	odi, err := b.watch(args...)
	if err != nil {
		return w, err
	}
	if stats {
		if err := os.WriteFile(statsSwitch, []byte("1"), 0o644); err != nil {
			return w, err
		}
		defer func() { _ = os.WriteFile(statsSwitch, []byte("0"), 0o644) }() // root may
	}
	from, err := programsOf(odi.pid())
	if err != nil {
		return w, err
	}
	w, err = t.measure(b.window, odi.pid())
	if err != nil {
		return w, err
	}
	to, err := programsOf(odi.pid())
	if err != nil {
		return w, err
	}
	all := w.operations + float64(w.opened)
	did := between(from, to)
	w.bpf, w.runs = did.nanos/all, did.times/all
	if stats {
		profile(from, to, all)
	}
	time.Sleep(settles)
	w.lost, _, err = odi.end()
	return w, err
}

// settles is when odi has read all that the kernel has told.
const settles = 300 * time.Millisecond

// side is one end, watched.
type side struct {
	name      string
	pid       int
	target    float64
	cost      func(window) float64
	added     []float64
	ratio     []float64
	beside    []float64
	lost      float64
	uncounted float64
}

func (b *bench) measureProtocol(p protocol, t talking) error {
	sides := []*side{{name: "client", pid: t.client.pid(), target: p.client, cost: func(w window) float64 { return w.client }}}
	if !p.unseenServer {
		sides = append(sides, &side{name: "server", pid: t.server, target: p.server, cost: func(w window) float64 { return w.server }})
	}
	var base []window
	for range rounds {
		alone, err := t.measure(b.window, 0)
		if err != nil {
			return err
		}
		base = append(base, alone)
		for _, s := range sides {
			w, err := b.watched(t, s.pid, false)
			if err != nil {
				return err
			}
			s.added = append(s.added, s.cost(w)-s.cost(alone))
			s.ratio = append(s.ratio, w.operations/alone.operations)
			s.beside = append(s.beside, w.beside)
			s.lost += float64(w.lost.lost)
			s.uncounted += math.Max(0, w.operations+float64(w.opened)-float64(w.lost.seen))
		}
	}
	for _, s := range sides {
		w, err := b.watched(t, s.pid, true)
		if err != nil {
			return err
		}
		perRun, err := b.statisticsPerRun()
		if err != nil {
			return err
		}
		b.addSide(p, s, base, kernelNS{w.bpf, w.runs * perRun})
	}
	return nil
}

// kernelNS is what the statistics say of the programs, and what of it they cost themselves.
type kernelNS struct{ all, statistics float64 }

// addSide adds the figures of one side, and its line of the table.
func (b *bench) addSide(p protocol, s *side, base []window, bpf kernelNS) {
	named := func(what string) string { return p.name + "_" + s.name + "_" + what }
	var alone []float64
	for _, w := range base {
		alone = append(alone, s.cost(w))
	}
	b.add(figure{Name: named("cpu_us"), Unit: "us", Free: true, Samples: alone})
	b.add(figure{Name: named("cpu_us_added"), Unit: "us", Limit: s.target, Free: true, Samples: s.added})
	b.add(figure{Name: named("odi_cpu_us"), Unit: "us", Limit: perSpan, Free: true, Samples: s.beside})
	b.add(figure{Name: named("bpf_ns"), Unit: "ns", Limit: perRequest, Free: true, Value: bpf.all})
	b.add(figure{Name: named("bpf_ns_of_statistics"), Unit: "ns", Free: true, Value: bpf.statistics})
	b.add(figure{Name: named("throughput_ratio"), Unit: "ratio", Free: true, Samples: s.ratio})
	b.add(figure{Name: named("spans_lost"), Unit: "spans", Free: true, Value: s.lost})
	b.add(figure{Name: named("spans_lost_uncounted"), Unit: "spans", Value: s.uncounted})
	b.table = append(b.table, fmt.Sprintf("| %s | %s | %.1f | **%.2f** | %s | %.2f | %.0f (%.0f) | %.2f | %.0f |", p.what, s.name, median(alone), median(s.added),
		orNone(s.target), median(s.beside), bpf.all, bpf.statistics, median(s.ratio), s.lost))
}

// What the issue asks for: us of odi's own CPU for a span, ns of programs for a request.
const (
	perSpan    = 1.5
	perRequest = 1000
)

func orNone(target float64) string {
	if target == 0 {
		return ""
	}
	return fmt.Sprint(target)
}

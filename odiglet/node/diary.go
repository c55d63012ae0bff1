package node

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/attach"
)

const (
	// diaryEvery is how often the diary looks; who lives for less is in the metrics alone.
	diaryEvery = 5 * time.Second
	// diaryLines bounds what one look writes: workloads that start a process for each request would fill the log.
	diaryLines = 20
	// lossesEvery is how often a reason of loss is written again while it lasts.
	lossesEvery = time.Minute
	// diaryNames is of how many workloads a loss names the share.
	diaryNames = 5
)

// diary writes into the log which processes are instrumented and let go, a line each, and what
// is lost, a line for each reason. It is used by one goroutine.
type diary struct {
	log       *slog.Logger
	instances func() []attach.Instance
	// whose says where an instance runs: its workload, pod and container.
	whose func(attach.Instance) []any
	// dropped are the requests that gave no span, by reason.
	dropped func() map[loss.Name]uint64
	losers  func(loss.Name) map[string]uint64

	attached map[life][]any
	told     map[loss.Name]uint64
}

// life is one process for as long as the machine runs.
type life struct {
	pid   int
	start uint64
}

// run writes until ctx ends.
func (d *diary) run(ctx context.Context) {
	look, losses := time.NewTicker(diaryEvery), time.NewTicker(lossesEvery)
	defer look.Stop()
	defer losses.Stop()
	for {
		select {
		case <-look.C:
			d.look()
		case <-losses.C:
			d.tellLosses()
		case <-ctx.Done():
			d.tellLosses()
			return
		}
	}
}

// look compares what is attached now with what was.
func (d *diary) look() {
	now := make(map[life][]any)
	for _, in := range d.instances() {
		if !in.Attached {
			continue
		}
		key := life{in.Process.PID, in.Process.Start}
		if at, known := d.attached[key]; known {
			now[key] = at
			continue
		}
		now[key] = append(d.whose(in), "service", in.Service, "pid", in.Process.PID, "executable", in.Process.Exe, "runtime", in.Runtime.Label())
	}
	d.tell("a process is instrumented", missing(now, d.attached))
	d.tell("a process is instrumented no more", missing(d.attached, now))
	d.attached = now
}

// missing are the lines of those that others have not, in order of pid.
func missing(these, others map[life][]any) [][]any {
	keys := slices.SortedFunc(maps.Keys(these), func(a, b life) int { return a.pid - b.pid })
	var lines [][]any
	for _, key := range keys {
		if _, there := others[key]; !there {
			lines = append(lines, these[key])
		}
	}
	return lines
}

func (d *diary) tell(what string, lines [][]any) {
	for i, line := range lines {
		if i == diaryLines {
			d.log.Info(what+"; more than are listed one by one", "processes", len(lines)-diaryLines)
			return
		}
		d.log.Info(what, line...)
	}
}

// tellLosses writes what was lost since the last time; what was left out on purpose is no loss.
func (d *diary) tellLosses() {
	now := loss.Only(loss.Lost, d.dropped())
	for _, reason := range slices.Sorted(maps.Keys(now)) {
		n, before := now[reason], d.told[reason]
		if n < before {
			before = 0 // Counted anew.
		}
		if n == before {
			continue
		}
		d.log.Warn("requests gave no span", "reason", reason, "why", loss.Of(reason).Words,
			"requests", n-before, "total", n, "whose", most(d.losers(reason)))
	}
	d.told = now
}

// most names those who lost the most since the odiglet's start.
func most(losers map[string]uint64) string {
	names := slices.SortedFunc(maps.Keys(losers), func(a, b string) int {
		if losers[a] != losers[b] {
			return int(min(losers[b], 1<<30)) - int(min(losers[a], 1<<30))
		}
		return strings.Compare(a, b)
	})
	var words []string
	for _, name := range names[:min(len(names), diaryNames)] {
		words = append(words, name+": "+strconv.FormatUint(losers[name], 10))
	}
	if more := len(names) - diaryNames; more > 0 {
		words = append(words, "and "+strconv.Itoa(more)+" more")
	}
	return strings.Join(words, ", ")
}

// whose are the words of a log's line for where an instance runs.
func (c *cluster) whose(in attach.Instance) []any {
	at, ok := c.find(in.Process.Container.ID)
	if !ok {
		return nil
	}
	return []any{"namespace", at.workload.Namespace, "workload", strings.ToLower(string(at.workload.Kind)) + "/" + at.workload.Name, "pod", at.pod.name, "container", at.container.name}
}

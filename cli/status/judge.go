package status

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/chain"
	"github.com/odi-dev/odi/cli/components"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/internal/workload"
)

// Report is what `odi status` says.
type Report struct {
	Namespace string `json:"namespace"`
	// Only is the one namespace whose workloads, configs and destinations it is about; empty for all.
	Only         string                 `json:"only,omitempty"`
	Version      string                 `json:"version,omitempty"`
	Components   []components.Component `json:"components"`
	Nodes        []Node                 `json:"nodes"`
	Workloads    Phases                 `json:"workloads"`
	Destinations []Destination          `json:"destinations"`
	Books        []Hop                  `json:"books"`
	// Problems are what is wrong now. Each ends in what to do.
	Problems []string `json:"problems"`
	// Notes are what is good to know, and does not change by waiting: what was lost before,
	// what a kernel cannot do, what goes nowhere.
	Notes []string `json:"notes,omitempty"`
}

// Node is one node and its feature ladder.
type Node struct {
	Name     string          `json:"name"`
	Kernel   string          `json:"kernel"`
	Version  string          `json:"version"`
	Attached int32           `json:"attached"`
	Features []odiv1.Feature `json:"features"`
}

// Phases counts workloads by how far they are.
type Phases struct {
	Total        int `json:"total"`
	Instrumented int `json:"instrumented"`
	Waiting      int `json:"waiting"`
	Off          int `json:"off"`
	Broken       int `json:"broken"`
}

// Destination is one destination and what it took.
type Destination struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Type      string `json:"type"`
	Exporting string `json:"exporting"`
	Sent      int64  `json:"sent"`
	Failed    int64  `json:"failed"`
	Queued    int64  `json:"queued"`
}

// Hop is one hop's books: accepted = sent + queued + dropped.
type Hop struct {
	Name     string            `json:"name"`
	Accepted uint64            `json:"accepted"`
	Sent     uint64            `json:"sent"`
	Queued   uint64            `json:"queued"`
	Dropped  map[string]uint64 `json:"dropped,omitempty"`
	// Whose says by reason how many of the dropped were of which service, as far as it is known.
	Whose map[string]map[string]uint64 `json:"whose,omitempty"`
}

// Judge makes the report. It is pure.
func Judge(seen Seen) Report {
	r := Report{
		Namespace:  seen.Components.Namespace,
		Only:       seen.Only,
		Components: components.Judge(seen.Components),
		Books:      books(seen),
		Problems:   []string{}, // A program that reads it counts them.
	}
	if manager := seen.Components.Manager; manager != nil {
		r.Version = manager.Labels["app.kubernetes.io/version"]
	}
	for _, c := range r.Components {
		if !c.Ready {
			r.problem("%s: %s; to see more: %s", c.Name, c.Text, c.Show)
		}
	}
	r.nodes(seen.Components.Nodes)
	r.destinations(seen.Destinations)
	r.configs(seen.Configs)
	r.workloads(seen)
	r.losses(seen)
	return r
}

func (r *Report) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

func (r *Report) nodes(nodes []odiv1.NodeInstrumentation) {
	for _, n := range nodes {
		r.Nodes = append(r.Nodes, Node{
			Name: n.Name, Kernel: n.Status.Kernel, Version: n.Status.OdigletVersion,
			Attached: n.Status.Attached, Features: n.Status.Features,
		})
		for _, feature := range n.Status.Features {
			if feature.State == odiv1.FeatureUnavailable {
				r.note("node %s: %s is unavailable: %s; everything else works", n.Name, feature.Name, strings.TrimSuffix(feature.Reason, "."))
			}
		}
	}
}

func (r *Report) destinations(list []odiv1.Destination) {
	for i := range list {
		d := &list[i]
		row := Destination{
			Namespace: d.Namespace, Name: d.Name, Type: d.Spec.Type, Exporting: "Unknown",
			Sent: d.Status.Sent, Failed: d.Status.Failed, Queued: d.Status.Queued,
		}
		if c := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionExporting); c != nil {
			row.Exporting = string(c.Status)
			if c.Status != "True" {
				row.Exporting += " (" + c.Reason + ")"
			}
		}
		r.Destinations = append(r.Destinations, row)
		if step := chain.Destination(d); step.State == chain.Broken {
			r.problem("%s", chain.Why([]chain.Step{step}))
		}
	}
}

// configs names those that do not do what they are for, and why.
func (r *Report) configs(list []odiv1.InstrumentationConfig) {
	for _, config := range list {
		ready := meta.FindStatusCondition(config.Status.Conditions, odiv1.ConditionReady)
		if ready != nil && ready.Status == metav1.ConditionFalse {
			r.problem("config %s/%s is not ready (%s): %s; to see it: kubectl -n %s get ic %s -o yaml", config.Namespace, config.Name,
				ready.Reason, strings.TrimSuffix(ready.Message, "."), config.Namespace, config.Name)
		}
	}
}

// workloads counts phases. Where the data goes is not asked again for each of
// them; the namespaces without a destination are one problem.
func (r *Report) workloads(seen Seen) {
	orphans, untaken := map[string]bool{}, map[string]map[string]bool{}
	for i := range seen.Workloads {
		iw := &seen.Workloads[i]
		ref := workload.In(iw.Namespace, iw.Spec.Workload)
		if mine := chain.For(iw.Namespace, r.Namespace, seen.Destinations); len(mine) == 0 {
			orphans[iw.Namespace] = true
		} else {
			mark(untaken, chain.Untaken(mine), iw.Namespace)
		}
		steps := chain.Follow(chain.Input{Workload: ref, Object: iw, OdiNamespace: r.Namespace, Destinations: seen.Destinations})
		last := steps[len(steps)-1]
		r.Workloads.Total++
		switch {
		case last.Name == "Exporting" || last.State == chain.Done:
			r.Workloads.Instrumented++
		case last.State == chain.Off:
			r.Workloads.Off++
		case last.State == chain.Broken:
			r.Workloads.Broken++
			r.problem("%s %s/%s: %s", strings.ToLower(string(ref.Kind)), ref.Namespace, ref.Name, chain.Why(steps))
		default:
			r.Workloads.Waiting++
		}
	}
	if len(orphans) > 0 {
		names := strings.Join(slices.Sorted(maps.Keys(orphans)), ", ")
		r.problem("no destination receives the data of %s; %s", names, wayOut(slices.Sorted(maps.Keys(orphans))[0], r.Namespace, seen.Destinations))
	}
	for _, signal := range slices.Sorted(maps.Keys(untaken)) {
		names := strings.Join(slices.Sorted(maps.Keys(untaken[signal])), ", ")
		r.note("no destination takes the %s of %s; to see which types do: odi destination types %s", signal, names, signal)
	}
}

// wayOut is what to do about a namespace whose data goes nowhere.
func wayOut(namespace, odi string, all []odiv1.Destination) string {
	if off := chain.Disabled(namespace, odi, all); off != nil {
		return fmt.Sprintf("%s/%s is disabled; to enable it: %s", off.Namespace, off.Name, chain.Enable(off))
	}
	return "to add one: odi destination add <type>"
}

// mark notes a namespace under each signal.
func mark(untaken map[string]map[string]bool, signals []string, namespace string) {
	for _, signal := range signals {
		if untaken[signal] == nil {
			untaken[signal] = map[string]bool{}
		}
		untaken[signal][namespace] = true
	}
}

// losses are what was dropped and nodes that cannot hand on.
func (r *Report) losses(seen Seen) {
	for _, name := range sortedNodes(seen) {
		if problem := seen.Live[name].ExportError; problem != "" {
			r.problem("node %s: its node collector does not take the data: %s; to see why: kubectl -n %s logs daemonset/odi-node-collector",
				name, problem, r.Namespace)
		}
	}
	for _, hop := range r.Books {
		lost := loss.Only(loss.Lost, hop.Dropped)
		for _, reason := range slices.Sorted(maps.Keys(lost)) {
			of := output.Worst(hop.Whose[reason])
			if of != "" {
				of = "; of " + of
			}
			r.note("%s: %d of %d lost: %s%s (%s); to see which node: odi describe node/<name>",
				hop.Name, lost[reason], hop.Accepted, loss.Of(loss.Name(reason)).Words, of, reason)
		}
	}
}

// books adds up the odiglets; each destination is a hop of its own.
func books(seen Seen) []Hop {
	odiglets := Hop{Name: "odiglets", Dropped: map[string]uint64{}, Whose: map[string]map[string]uint64{}}
	for _, name := range sortedNodes(seen) {
		b := seen.Live[name].Books
		odiglets.Accepted += b.Seen
		odiglets.Sent += b.Sent
		odiglets.Queued += b.Queued
		for reason, count := range b.Dropped {
			if count > 0 {
				odiglets.Dropped[reason] += count
			}
		}
		for reason, names := range b.Whose {
			odiglets.name(reason, names)
		}
	}
	var hops []Hop
	if len(seen.Live) > 0 {
		hops = append(hops, odiglets)
	}
	return hops
}

// name adds whose losses a node has counted.
func (h *Hop) name(reason string, names map[string]uint64) {
	if h.Dropped[reason] == 0 {
		return
	}
	if h.Whose[reason] == nil {
		h.Whose[reason] = map[string]uint64{}
	}
	for name, n := range names {
		h.Whose[reason][name] += n
	}
}

func sortedNodes(seen Seen) []string {
	names := make([]string, 0, len(seen.Live))
	for name := range seen.Live {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func sum(counts map[string]uint64) uint64 {
	total := uint64(0)
	for _, count := range counts {
		total += count
	}
	return total
}

func reasons(counts map[string]uint64) string {
	words := make([]string, 0, len(counts))
	for reason, count := range counts {
		words = append(words, fmt.Sprintf("%s %d", reason, count))
	}
	sort.Strings(words)
	return strings.Join(words, ", ")
}

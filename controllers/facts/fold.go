package facts

import (
	"cmp"
	"slices"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// Result is what all nodes together say of one workload.
type Result struct {
	Runtimes         string
	Pods             int32
	InstrumentedPods int32
	Containers       []odiv1.ContainerStatus
	RuntimeDetected  Verdict
	Instrumented     Verdict
}

// fold adds up the facts and judges them.
func fold(in Input) Result {
	r := Result{Containers: containers(in)}
	keepStarts(r.Containers, in.Before)
	keepRuntimes(r.Containers, in.Before, in.Decisions)
	for _, node := range in.Nodes {
		pods, instrumented := podsOf(node, in)
		r.Pods += pods
		if node.Silent == "" {
			r.InstrumentedPods += instrumented
		}
	}
	if r.Pods == 0 && len(r.Containers) == 0 {
		r.Containers = lastSeen(in.Before)
	}
	keepBefore(r.Containers, in.Before, in.Decisions)
	r.Runtimes = summary(r.Containers)
	r.RuntimeDetected = judgeRuntime(in, r)
	r.Instrumented = judgeInstrumented(in, r)
	return r
}

// containers merges the facts by container: in the order of the decisions, then by name.
func containers(in Input) []odiv1.ContainerStatus {
	byName := map[string][]odiv1.ContainerFact{}
	var names []string
	for _, node := range in.Nodes {
		for _, fact := range node.Facts {
			if byName[fact.Container] == nil {
				names = append(names, fact.Container)
			}
			byName[fact.Container] = append(byName[fact.Container], fact)
		}
	}
	place := map[string]int{}
	for i, d := range in.Decisions {
		place[d.Name] = i - len(in.Decisions) // Negative: before the undecided, which have 0.
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(place[a], place[b]), cmp.Compare(a, b))
	})
	list := make([]odiv1.ContainerStatus, 0, len(names))
	for _, name := range names {
		list = append(list, merge(name, byName[name]))
	}
	return list
}

// merge takes the runtime that most pods have; they differ during a rollout only.
func merge(name string, facts []odiv1.ContainerFact) odiv1.ContainerStatus {
	status := odiv1.ContainerStatus{Name: name}
	pods := map[odiv1.Runtime]int32{}
	for _, fact := range facts {
		status.Processes += fact.Processes
		status.Attached += fact.Attached
		if status.LastError == "" {
			status.LastError = fact.Error
		}
		status.Agent = worseAgent(status.Agent, fact.Agent)
		status.Start = mergeStart(status.Start, fact.Start)
		status.Answers = mergeAnswers(status.Answers, fact.Answers)
		status.TLS = mergeTLS(status.TLS, fact.TLS)
		if fact.Runtime != (odiv1.Runtime{}) {
			pods[fact.Runtime] += fact.Pods
		}
	}
	best := int32(-1)
	for runtime, n := range pods {
		if n > best || n == best && describe(runtime) > describe(status.Runtime) {
			status.Runtime, best = runtime, n
		}
	}
	return status
}

// podsOf counts a node's pods of the workload, and those of which every chosen
// container is instrumented. A fact is about all pods of a container, so that the
// container with the most pods stands for their number, the one with the fewest
// instrumented for theirs. One that ends before the others start counts while it
// runs, and the others do not count before they do.
func podsOf(node Node, in Input) (pods, instrumented int32) {
	attached := map[string]int32{}
	starting := false
	for _, fact := range node.Facts {
		pods = max(pods, fact.Pods)
		attached[fact.Container] = fact.AttachedPods
		starting = starting || slices.Contains(in.Passing, fact.Container)
	}
	if len(chosen(in.Decisions)) == 0 {
		return pods, 0
	}
	fewest := pods
	for _, name := range chosen(in.Decisions) {
		count, runs := attached[name]
		if !runs && (starting || slices.Contains(in.Passing, name)) {
			continue
		}
		fewest = min(fewest, count)
	}
	return pods, fewest
}

// chosen lists the containers that are to be instrumented.
func chosen(decisions []odiv1.ContainerDecision) []string {
	var names []string
	for _, d := range decisions {
		if d.Method != odiv1.MethodNone {
			names = append(names, d.Name)
		}
	}
	return names
}

// lastSeen keeps what is known while nothing runs, so that a decision is not
// forgotten between two runs of a CronJob. The counts are of running processes.
func lastSeen(before []odiv1.ContainerStatus) []odiv1.ContainerStatus {
	kept := make([]odiv1.ContainerStatus, 0, len(before))
	for _, c := range before {
		if c.Runtime != (odiv1.Runtime{}) {
			kept = append(kept, odiv1.ContainerStatus{Name: c.Name, Runtime: c.Runtime, Start: c.Start})
		}
	}
	return kept
}

// summaryLength is what status.runtimes holds.
const summaryLength = 256

// summary lists the runtimes for people: "go 1.26.8, nginx".
func summary(containers []odiv1.ContainerStatus) string {
	var words []string
	for _, c := range containers {
		word := strings.TrimSpace(c.Runtime.Language + " " + c.Runtime.Version)
		if word != "" && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	text := strings.Join(words, ", ")
	if len(text) > summaryLength {
		const more = "..."
		text = text[:summaryLength-len(more)] + more
	}
	return text
}

// describe says a runtime in full: "java 17.0.9 (glibc)".
func describe(r odiv1.Runtime) string {
	text := strings.TrimSpace(r.Language + " " + r.Version)
	if r.Libc != "" && r.Libc != "unknown" {
		text += " (" + r.Libc + ")"
	}
	if r.OtherAgent != "" {
		text += " with " + r.OtherAgent
	}
	return text
}

package gather

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilrand "k8s.io/apimachinery/pkg/util/rand"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/internal/nodefacts"
)

const (
	// runLabel is on all that one run makes.
	runLabel = "odi.dev/check"
	// componentCheck is the value of the component label on all that checks make.
	componentCheck = "check"
	// ownNamespace is where nodes are asked from before odi has a namespace.
	ownNamespace = "odi-check"
	// maxNodes bounds how many nodes are asked: one of each kind is, before others of the same.
	maxNodes = 16
	// pollEvery is how often pods are looked at.
	pollEvery = 250 * time.Millisecond
	// tidyTime is kept of the run's time to remove what it made; tidying itself may take tidyWithin.
	tidyTime, tidyWithin = 1500 * time.Millisecond, 5 * time.Second
	// strayAfter is when a Job that is still there was left: it goes by itself before.
	strayAfter = 2 * time.Minute
)

type nodesSeen = map[string]checks.Known[nodefacts.Facts]

// onNodes asks nodes by a Job of one pod each, and removes all of them again. A Job that this
// program cannot remove, because it was killed, ends and goes by itself.
func onNodes(ctx context.Context, g *gatherer) {
	if !g.facts.Nodes.Read {
		g.facts.OnNodes = checks.Not[nodesSeen](g.facts.Nodes.Why)
		return
	}
	spec, err := g.odiglet(ctx)
	if err != nil {
		g.facts.OnNodes = read[nodesSeen](g, nil, err)
		return
	}
	chosen := choose(g.facts.Nodes.Value, maxNodes)
	if len(chosen) == 0 {
		g.facts.OnNodes = checks.Not[nodesSeen]("no node with Linux is ready, so that none was asked")
		return
	}
	namespace, tidy, err := g.place(ctx)
	defer tidy()
	if err != nil {
		g.facts.OnNodes = read[nodesSeen](g, nil, err)
		return
	}
	run := utilrand.String(8)
	defer g.removeJobs(ctx, namespace, run)
	reported, call := g.reported(ctx), g.backends(ctx)
	made := make([]error, len(chosen))
	each(len(chosen), func(i int) {
		o := question{namespace: namespace, run: run, node: chosen[i], engine: !reported[chosen[i]], call: call, within: remaining(ctx)}
		made[i] = g.c.Create(ctx, job(o, spec))
	})
	seen := nodesSeen{}
	for i, name := range chosen {
		if made[i] != nil {
			seen[name] = read(g, nodefacts.Facts{}, made[i])
		}
	}
	g.collect(ctx, namespace, run, chosen, seen)
	g.facts.OnNodes = checks.Of(seen)
}

// remaining is how much of the run's time is left for pods.
func remaining(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return time.Minute
	}
	return time.Until(deadline) - tidyTime
}

// choose takes one node of each kind first, then others, as many as there may be.
func choose(nodes []corev1.Node, most int) []string {
	kinds := map[string]bool{}
	var first, others []string
	for _, node := range nodes {
		if node.Labels[corev1.LabelOSStable] != "linux" || !ready(node) {
			continue
		}
		info := node.Status.NodeInfo
		kind := strings.Join([]string{info.KernelVersion, info.OSImage, info.ContainerRuntimeVersion, info.Architecture}, "|")
		if kinds[kind] {
			others = append(others, node.Name)
			continue
		}
		kinds[kind] = true
		first = append(first, node.Name)
	}
	all := append(first, others...)
	return all[:min(len(all), most)]
}

func ready(node corev1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// reported are nodes whose odiglet says what the engine can do: there it is not loaded once more.
func (g *gatherer) reported(ctx context.Context) map[string]bool {
	known := map[string]bool{}
	var list odiv1.NodeInstrumentationList
	if g.Run != checks.After || g.c.List(ctx, &list) != nil {
		return known
	}
	for _, report := range list.Items {
		for _, c := range report.Status.Conditions {
			known[report.Name] = known[report.Name] || c.Type == odiv1.ConditionReady && c.Status == metav1.ConditionTrue
		}
	}
	return known
}

// maxBackends bounds what a pod calls beside the API server.
const maxBackends = 8

// backends are the addresses that Destinations send to, each once.
func (g *gatherer) backends(ctx context.Context) []string {
	if g.Run != checks.After {
		return nil
	}
	var list odiv1.DestinationList
	if err := g.c.List(ctx, &list); err != nil {
		g.facts.Called = read[[]checks.Call](g, nil, err)
		return nil
	}
	var addresses []string
	var calls []checks.Call
	for _, d := range list.Items {
		host, port := addressOf(d.Spec.Config["endpoint"])
		if host == "" || port == 0 || d.Spec.Disabled {
			continue
		}
		address := net.JoinHostPort(host, strconv.Itoa(port))
		calls = append(calls, checks.Call{Destination: d.Namespace + "/" + d.Name, Address: address})
		if !slices.Contains(addresses, address) && len(addresses) < maxBackends {
			addresses = append(addresses, address)
		}
	}
	g.facts.Called = checks.Of(calls)
	return addresses
}

// place is the namespace that Jobs are made in, and what removes it again where it was made for that.
func (g *gatherer) place(ctx context.Context) (namespace string, tidy func(), err error) {
	nothing := func() {}
	if house := g.facts.House.Value; house != nil && house.DeletionTimestamp == nil {
		return g.Namespace, nothing, nil
	}
	own := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ownNamespace, Labels: map[string]string{
		cluster.PartOfLabel: "odi", odiv1.LabelManagedBy: odiv1.ManagedByOdi, odiv1.LabelComponent: componentCheck,
		"pod-security.kubernetes.io/enforce": "privileged", "pod-security.kubernetes.io/warn": "privileged", "pod-security.kubernetes.io/audit": "privileged",
	}}}
	if err := g.c.Create(ctx, own); err != nil {
		return "", nothing, fmt.Errorf("making the namespace %s, from which nodes are asked: %w", ownNamespace, err)
	}
	return ownNamespace, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyWithin)
		defer cancel()
		_ = g.c.Delete(ctx, own) // ODI-408 names one that is left
	}, nil
}

func (g *gatherer) removeJobs(ctx context.Context, namespace, run string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyWithin)
	defer cancel()
	// One that is left ends and goes by itself, and ODI-408 names it.
	_ = g.c.DeleteAllOf(ctx, &batchv1.Job{}, client.InNamespace(namespace), client.MatchingLabels{runLabel: run},
		client.PropagationPolicy(metav1.DeletePropagationBackground), client.GracePeriodSeconds(0))
}

// strays are what former runs left.
func strays(ctx context.Context, g *gatherer) {
	ours := client.MatchingLabels{cluster.PartOfLabel: "odi", odiv1.LabelComponent: componentCheck}
	var names []string
	var left corev1.Namespace
	err := g.c.Get(ctx, client.ObjectKey{Name: ownNamespace}, &left)
	if err == nil && left.DeletionTimestamp == nil && time.Since(left.CreationTimestamp.Time) > strayAfter {
		names = append(names, "namespace/"+ownNamespace)
	}
	var jobs batchv1.JobList
	if client.IgnoreNotFound(err) == nil {
		err = g.c.List(ctx, &jobs, client.InNamespace(g.Namespace), ours)
	}
	for _, job := range jobs.Items {
		if time.Since(job.CreationTimestamp.Time) > strayAfter {
			names = append(names, "job/"+job.Name)
		}
	}
	if apierrors.IsNotFound(err) {
		err = nil
	}
	g.facts.Strays = read(g, names, err)
}

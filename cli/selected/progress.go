package selected

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/progress"
)

// Workloads reads what odi made of the wish, in order of name.
func (w Wish) Workloads(ctx context.Context, c client.Client) ([]odiv1.InstrumentedWorkload, error) {
	if w.Kind != "" {
		var iw odiv1.InstrumentedWorkload
		err := c.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: w.Reference().ObjectName()}, &iw)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the InstrumentedWorkload of %s: %w", w, err)
		}
		return []odiv1.InstrumentedWorkload{iw}, nil
	}
	var list odiv1.InstrumentedWorkloadList
	if err := c.List(ctx, &list, client.InNamespace(w.Namespace)); err != nil {
		return nil, fmt.Errorf("listing the InstrumentedWorkloads of %s: %w", w.Namespace, err)
	}
	sort.Slice(list.Items, func(i, j int) bool { return list.Items[i].Name < list.Items[j].Name })
	return list.Items, nil
}

// State is what odi made of a wish so far.
type State struct {
	// Complete says that nothing more will be selected for the config as it is now.
	Complete bool
	// Config is the config of the wish.
	Config    odiv1.InstrumentationConfig
	Workloads []odiv1.InstrumentedWorkload
}

// State reads it: first the config, whose status is written last.
func (w Wish) State(ctx context.Context, c client.Client) (State, error) {
	var config odiv1.InstrumentationConfig
	err := c.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: w.ConfigName()}, &config)
	if client.IgnoreNotFound(err) != nil {
		return State{}, fmt.Errorf("reading the InstrumentationConfig of %s: %w", w, err)
	}
	workloads, listErr := w.Workloads(ctx, c)
	return State{
		Complete:  err == nil && config.Status.ObservedGeneration == config.Generation,
		Config:    config,
		Workloads: workloads,
	}, listErr
}

// Items says how far each workload of the wish is.
func Items(w Wish, state State) []progress.Item {
	items := make([]progress.Item, 0, len(state.Workloads)+1)
	for i := range state.Workloads {
		items = append(items, withAgents(&state.Workloads[i], state.Config, item(w, &state.Workloads[i])))
	}
	if why := refused(state.Config); why != "" && state.Complete {
		return []progress.Item{{Name: w.String(), Failed: true, Text: why}}
	}
	if len(items) == 0 || !state.Complete {
		items = append(items, progress.Item{Name: w.String(), Text: "not selected yet"})
	}
	return items
}

// useless are the reasons of configs for which waiting changes nothing.
var useless = []string{odiv1.ReasonNamespaceExcluded, odiv1.ReasonInvalidConfig, odiv1.ReasonOverridden}

// refused says why nothing will come of a config; empty when something may.
func refused(config odiv1.InstrumentationConfig) string {
	ready := meta.FindStatusCondition(config.Status.Conditions, odiv1.ConditionReady)
	if ready == nil || ready.Status != "False" || !slices.Contains(useless, ready.Reason) {
		return ""
	}
	return ready.Message
}

func item(w Wish, iw *odiv1.InstrumentedWorkload) progress.Item {
	it := progress.Item{Name: strings.ToLower(string(iw.Spec.Workload.Kind)) + " " + iw.Spec.Workload.Name}
	instrumented := meta.FindStatusCondition(iw.Status.Conditions, odiv1.ConditionInstrumented)
	if instrumented == nil {
		it.Text = "waiting for its node"
		return it
	}
	it.Text = instrumented.Message
	switch {
	case instrumented.Status == "True":
		it.Done = true
		it.Text = fmt.Sprintf("instrumented (%s)", strings.TrimSuffix(iw.Status.Runtimes+", "+iw.Status.Methods, ", "))
	case instrumented.Reason == odiv1.ReasonMethodNone:
		// Another config's No is final; the wish's own No is of before it changed.
		it.Done = iw.Spec.Config != w.ConfigName()
	case instrumented.Reason == odiv1.ReasonNoPods:
		// Nothing more will happen until a pod runs.
		it.Done = true
	case instrumented.Reason == odiv1.ReasonOtherAgentPresent || instrumented.Reason == odiv1.ReasonFeatureUnavailable:
		it.Failed = true
	}
	return it
}

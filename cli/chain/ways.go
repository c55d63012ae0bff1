package chain

import (
	"fmt"
	"slices"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/destinations"
)

// made are the signals that odi makes of every workload.
var made = []odiv1.Signal{odiv1.SignalTraces, odiv1.SignalMetrics}

// For lists the destinations that receive the data of a namespace.
func For(namespace, odiNamespace string, all []odiv1.Destination) []odiv1.Destination {
	var mine []odiv1.Destination
	for _, d := range all {
		if !d.Spec.Disabled && (d.Namespace == odiNamespace || d.Namespace == namespace) {
			mine = append(mine, d)
		}
	}
	return mine
}

// Disabled is a destination that would receive the data of a namespace; nil when there is none.
func Disabled(namespace, odiNamespace string, all []odiv1.Destination) *odiv1.Destination {
	for i := range all {
		d := &all[i]
		if d.Spec.Disabled && (d.Namespace == odiNamespace || d.Namespace == namespace) {
			return d
		}
	}
	return nil
}

// Enable is the command that switches a destination on again.
func Enable(d *odiv1.Destination) string {
	return fmt.Sprintf(`kubectl -n %s patch destination %s --type merge -p '{"spec":{"disabled":false}}'`, d.Namespace, d.Name)
}

// Lack says what keeps data of a namespace from going anywhere, and what to do; empty when
// every signal has a destination. Whether backends answer is another question.
func Lack(namespace, odiNamespace string, all []odiv1.Destination) string {
	mine := For(namespace, odiNamespace, all)
	off := Disabled(namespace, odiNamespace, all)
	switch {
	case len(mine) == 0 && off != nil:
		return fmt.Sprintf("The data of %s goes nowhere: destination %s/%s is disabled; to enable it: %s", namespace, off.Namespace, off.Name, Enable(off))
	case len(mine) == 0 && len(all) == 0:
		return "No destination yet: say where the data goes with: odi destination add <type>"
	case len(mine) == 0:
		return fmt.Sprintf("No destination receives the data of %s; to add one: odi destination add <type>", namespace)
	}
	lacking := Untaken(mine)
	if len(lacking) == 0 {
		return ""
	}
	return fmt.Sprintf("No destination takes the %s of %s; to see which types do: odi destination types %s",
		strings.Join(lacking, " and "), namespace, lacking[0])
}

// Untaken are the signals that none of the destinations takes.
func Untaken(mine []odiv1.Destination) []string {
	var lacking []string
	for _, signal := range made {
		if !slices.ContainsFunc(mine, func(d odiv1.Destination) bool { return takes(&d, signal) }) {
			lacking = append(lacking, string(signal))
		}
	}
	return lacking
}

// takes is so for a type that this odi does not know: a newer manager may.
func takes(d *odiv1.Destination, signal odiv1.Signal) bool {
	if len(d.Spec.Signals) > 0 {
		return slices.Contains(d.Spec.Signals, signal)
	}
	t, err := destinations.Get(d.Spec.Type)
	return err != nil || slices.Contains(t.Signals, signal)
}

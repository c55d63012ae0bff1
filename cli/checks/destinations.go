package checks

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// destinationChecks are about what users wrote: where data goes, and whose.
var destinationChecks = []Check{
	{
		Code: "ODI-801", Title: "There is a destination", Severity: Warning, Phase: After,
		Why:  "Without one, data goes nowhere.",
		Mend: "odi destination add <type>; odi destination types lists them.",
		Judge: func(f Facts) []Finding {
			return judged(f.Destinations, func(list []odiv1.Destination) []Finding {
				for _, d := range list {
					if !d.Spec.Disabled {
						return one(OK, plural(len(list), "destination"))
					}
				}
				return one(Broken, fmt.Sprintf("none that is enabled, of %d", len(list)))
			})
		},
	},
	{
		Code: "ODI-802", Title: "Every destination is accepted", Severity: Warning, Phase: After,
		Why:   "One with a wrong field, or without its Secret, gets nothing; others are not disturbed.",
		Mend:  "The message names the field: odi describe destination/<name>.",
		Judge: eachDestination(odiv1.ConditionReady),
	},
	{
		Code: "ODI-803", Title: "Every backend takes the data", Severity: Warning, Phase: After,
		Why: "It is what the gateway met when it sent last. Where nothing is known of that, the gateway is asked: it sends one span, metric and log, as odi destination test does. " +
			"That needs the right to start a program in its pod; --no-ask leaves it out.",
		Mend: "odi destination test <name> asks the backend at once, and says what to do about its answer.",
		Judge: func(f Facts) []Finding {
			return judged(f.Destinations, func(list []odiv1.Destination) []Finding {
				var findings []Finding
				for _, d := range list {
					switch {
					case d.Spec.Disabled:
					case NeedsAsking(d):
						findings = append(findings, asked(f, d))
					default:
						findings = append(findings, ofCondition(d.Namespace+"/"+d.Name, d.Status.Conditions, odiv1.ConditionExporting))
					}
				}
				return findings
			})
		},
	},
	{
		Code: "ODI-804", Title: "Backends in this cluster are there", Severity: Warning, Phase: After,
		Why:  "Where a destination names a Service of this cluster, pods have to be ready behind it, at that port.",
		Mend: "Correct the endpoint with odi destination add --replace, or bring the backend's pods up: kubectl get endpointslices -n <its namespace>.",
		Judge: func(f Facts) []Finding {
			return judged(f.Backends, func(list []Backend) []Finding {
				var findings []Finding
				for _, b := range list {
					text := fmt.Sprintf("%s:%d", b.Service, b.Port)
					if b.Problem != "" {
						text += ": " + b.Problem
					}
					findings = append(findings, Finding{state(b.Problem == ""), b.Destination, text})
				}
				return findings
			})
		},
	},
	{
		Code: "ODI-805", Title: "Something is to be instrumented", Severity: Note, Phase: After,
		Why:  "odi touches nothing that nobody selected.",
		Mend: "odi instrument namespace <name>",
		Judge: func(f Facts) []Finding {
			return judged(f.Configs, func(list []odiv1.InstrumentationConfig) []Finding {
				return one(state(len(list) > 0), plural(len(list), "InstrumentationConfig"))
			})
		},
	},
	{
		Code: "ODI-806", Title: "Every config does what it is for", Severity: Warning, Phase: After,
		Why:  "A config whose workload does not exist, whose namespace is excluded, or that another overrides, does nothing.",
		Mend: "odi status has a line for each, with what to do.",
		Judge: func(f Facts) []Finding {
			return judged(f.Configs, func(list []odiv1.InstrumentationConfig) []Finding {
				var findings []Finding
				for _, c := range list {
					findings = append(findings, ofCondition(c.Namespace+"/"+c.Name, c.Status.Conditions, odiv1.ConditionReady))
				}
				return findings
			})
		},
	},
	{
		Code: "ODI-807", Title: "Backends answer on the network", Severity: Warning, Phase: After,
		Why:  "A pod on a node looked the backend's name up and opened a connection, without a byte. The gateway may have another network policy or proxy: its own word is ODI-803.",
		Mend: "The message says whether the name or the connection fails: correct the endpoint, the cluster's DNS, or the firewall between.",
		Judge: func(f Facts) []Finding {
			return judged(f.Called, func(calls []Call) []Finding {
				var findings []Finding
				for _, call := range calls {
					findings = append(findings, answered(f, call))
				}
				return findings
			})
		},
	},
	{
		Code: "ODI-808", Title: "What was tested was accepted", Severity: Warning, Phase: After,
		Why:  "odi destination test sends one span, metric and log through the gateway's own exporter. A test of a configuration that was changed since proves nothing.",
		Mend: "odi destination test <name> has the backend's answer in full, and what to do about it.",
		Judge: func(f Facts) []Finding {
			return judged(f.Destinations, func(list []odiv1.Destination) []Finding {
				var findings []Finding
				for _, d := range list {
					if c := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionTested); c != nil {
						findings = append(findings, tested(d, *c))
					}
				}
				return findings
			})
		},
	},
}

// NeedsAsking says that a Destination may have data sent, and nobody knows what becomes of it.
func NeedsAsking(d odiv1.Destination) bool {
	ready := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionReady)
	exporting := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionExporting)
	known := exporting != nil && exporting.ObservedGeneration == d.Generation && exporting.Status != metav1.ConditionUnknown
	return !d.Spec.Disabled && !known && ready != nil && ready.ObservedGeneration == d.Generation && ready.Status != metav1.ConditionFalse
}

// asked is what the gateway found out about a Destination of which nothing else is known.
func asked(f Facts, d odiv1.Destination) Finding {
	name := d.Namespace + "/" + d.Name
	before := ofCondition(name, d.Status.Conditions, odiv1.ConditionExporting).Text
	if !f.Asked.Read {
		return Finding{Unknown, name, before + ", and the gateway was not asked: " + f.Asked.Why}
	}
	for _, a := range f.Asked.Value {
		switch {
		case a.Destination != name:
		case a.Problem != "":
			return Finding{Unknown, name, before + ", and asking the gateway did not tell: " + a.Problem}
		case a.Refused != "":
			return Finding{Broken, name, "the gateway was asked just now: " + a.Refused}
		default:
			return Finding{OK, name, "the gateway was asked just now, and the backend took one of each signal"}
		}
	}
	return Finding{Unknown, name, before + ", and the gateway was not asked about it"}
}

// tested is what a test says of the configuration as it is now.
func tested(d odiv1.Destination, c metav1.Condition) Finding {
	name := d.Namespace + "/" + d.Name
	if c.ObservedGeneration != d.Generation {
		return Finding{Unknown, name, "it was changed after its latest test"}
	}
	return ofCondition(name, d.Status.Conditions, odiv1.ConditionTested)
}

// answered judges an address by what became of calling it from nodes: one that got through is enough.
func answered(f Facts, call Call) Finding {
	problem := Finding{Unknown, call.Destination, call.Address + " was not called from any node"}
	for _, name := range sortedKeys(f.OnNodes.Value) {
		for _, look := range f.OnNodes.Value[name].Value.Looks {
			if look.Address != call.Address {
				continue
			}
			if look.Connected {
				return Finding{OK, call.Destination, fmt.Sprintf("%s answers in a pod on %s", call.Address, name)}
			}
			problem = Finding{Broken, call.Destination, fmt.Sprintf("%s in a pod on %s%s", call.Address, name, reason(look.Error))}
		}
	}
	return problem
}

// eachDestination is what a condition says of every Destination that is not switched off.
func eachDestination(condition string) func(Facts) []Finding {
	return func(f Facts) []Finding {
		return judged(f.Destinations, func(list []odiv1.Destination) []Finding {
			var findings []Finding
			for _, d := range list {
				if !d.Spec.Disabled {
					findings = append(findings, ofCondition(d.Namespace+"/"+d.Name, d.Status.Conditions, condition))
				}
			}
			return findings
		})
	}
}

// ofCondition is a condition in a check's words: what it does not know is unknown.
func ofCondition(subject string, conditions []metav1.Condition, kind string) Finding {
	c := meta.FindStatusCondition(conditions, kind)
	if c == nil {
		return Finding{Unknown, subject, "the manager has not looked at it yet"}
	}
	text := strings.TrimSuffix(c.Message, ".")
	switch c.Status {
	case metav1.ConditionTrue:
		return Finding{OK, subject, text}
	case metav1.ConditionFalse:
		return Finding{Broken, subject, c.Reason + ": " + text}
	}
	return Finding{Unknown, subject, text}
}

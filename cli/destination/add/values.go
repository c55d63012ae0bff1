package add

import (
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/destinations"
)

// values of fields, plain and secret, by the field's name.
type values map[string]string

func (v values) put(t destinations.Type, name, value string) error {
	if _, known := t.Field(name); !known {
		return exit.Usagef("%s is no field of %s; valid are %s", name, t.Name, fieldNames(t))
	}
	if _, twice := v[name]; twice {
		return exit.Usagef("%s is given twice", name)
	}
	if field, _ := t.Field(name); field.Secret {
		value = strings.TrimSpace(value) // As the manager reads it.
	}
	v[name] = value
	return nil
}

// split tells plain values from secret ones.
func (v values) split(t destinations.Type) (plain, secret map[string]string) {
	plain, secret = map[string]string{}, map[string]string{}
	for name, value := range v {
		if field, _ := t.Field(name); field.Secret {
			secret[name] = value
		} else {
			plain[name] = value
		}
	}
	return plain, secret
}

// missing lists the required fields that have no value, in the order of the room.
func (v values) missing(t destinations.Type) []destinations.Field {
	var fields []destinations.Field
	for _, field := range t.Fields {
		if field.Required && v[field.Name] == "" {
			fields = append(fields, field)
		}
	}
	return fields
}

// needed adds, to fields that are missing, those that given ones mean nothing without: a
// user's name its password, a token endpoint its client.
func (v values) needed(t destinations.Type, missing []destinations.Field) []destinations.Field {
	open := map[string]bool{}
	for _, field := range missing {
		open[field.Name] = true
	}
	for range t.Fields { // What is needed may need another.
		for _, field := range t.Fields {
			other, found := t.Field(field.Needs)
			if found && (v[field.Name] != "" || open[field.Name]) && v[other.Name] == "" && other.Default == "" {
				open[other.Name] = true
			}
		}
	}
	var fields []destinations.Field
	for _, field := range t.Fields {
		if open[field.Name] {
			fields = append(fields, field)
		}
	}
	return fields
}

// check judges everything by the rules of the type.
func (v values) check(t destinations.Type, signals []string) error {
	plain, secret := v.split(t)
	names := make([]string, 0, len(secret))
	for name, value := range secret {
		names = append(names, name)
		field, _ := t.Field(name)
		if err := field.Check(value); err != nil {
			return exit.Usagef("%s: %w", name, err)
		}
	}
	sort.Strings(names)
	if err := t.Check(plain, names); err != nil {
		return exit.AsUsage(joined(err))
	}
	return exit.AsUsage(t.CheckSignals(asSignals(signals)))
}

func asSignals(words []string) []odiv1.Signal {
	signals := make([]odiv1.Signal, 0, len(words))
	for _, word := range words {
		signals = append(signals, odiv1.Signal(strings.TrimSpace(word)))
	}
	return signals
}

// objects are what the command writes; secret is nil without secret fields.
type objects struct {
	destination *odiv1.Destination
	secret      *corev1.Secret
	// dryRun: nothing of it is written, so that nothing can be tied to it either.
	dryRun bool
}

func (v values) objects(t destinations.Type, f flags, namespace string) objects {
	plain, secret := v.split(t)
	o := objects{dryRun: bool(f.dryRun), destination: &odiv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: f.name},
		Spec:       odiv1.DestinationSpec{Type: t.Name, Config: plain},
	}}
	if len(f.signals) > 0 {
		o.destination.Spec.Signals = asSignals(f.signals)
	}
	if len(secret) == 0 {
		return o
	}
	o.secret = &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace,
			Name:      f.name + "-destination",
			Labels: map[string]string{
				odiv1.LabelManagedBy: odiv1.ManagedByOdi, odiv1.LabelComponent: "destination",
				odiv1.LabelUsableBy: odiv1.UsableByDestinations,
			},
		},
		StringData: secret,
	}
	o.destination.Spec.SecretRef = &odiv1.SecretReference{Name: o.secret.Name}
	return o
}

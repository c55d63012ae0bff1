package collectorconfig

import (
	"errors"
	"maps"
	"slices"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/destinations"
)

// LaneOf turns a Destination into its lane. The secrets are what the Secret that
// it refers to holds, and only judged: the lane has references. odiNamespace is
// where a Destination gets the data of all namespaces. Errors are for the user.
func LaneOf(d *odiv1.Destination, odiNamespace string, secrets map[string]string) (Lane, error) {
	t, err := destinations.Get(d.Spec.Type)
	if err != nil {
		return Lane{}, err
	}
	names := slices.Sorted(maps.Keys(secrets))
	if err := errors.Join(t.Check(d.Spec.Config, names), t.CheckSecrets(secrets), t.CheckSignals(d.Spec.Signals)); err != nil {
		return Lane{}, err
	}
	references, credentials := map[string]string{}, map[string]string{}
	for _, field := range t.SecretFields() {
		if _, given := secrets[field]; given {
			key := CredentialKey(d, field)
			references[field] = "${secret:" + key + "}"
			credentials[key] = field
		}
	}
	lane := Lane{
		UID:         string(d.UID),
		Generation:  d.Generation,
		Name:        d.Namespace + "/" + d.Name,
		Exporters:   t.Render(d.Spec.Config, references, d.Spec.Signals),
		Credentials: credentials,
	}
	if d.Namespace != odiNamespace {
		lane.Only = d.Namespace
	}
	return lane, nil
}

// Signals of a lane, in the order of its exporters.
func (l Lane) Signals() []odiv1.Signal {
	var signals []odiv1.Signal
	for _, e := range l.Exporters {
		signals = append(signals, e.Signals...)
	}
	return signals
}

// Endpoint is the address of the lane's backend for people, empty for a local one.
// A secret in it is not shown.
func (l Lane) Endpoint() string {
	for _, e := range l.Exporters {
		for _, key := range []string{"endpoint", "traces_endpoint", "metrics_endpoint", "logs_endpoint"} {
			if endpoint, ok := e.Config[key].(string); ok {
				return strings.ReplaceAll(secretRef.ReplaceAllString(endpoint, "***"), "$$", "$")
			}
		}
	}
	return ""
}

// CredentialKey names one secret of one Destination among all that the gateway
// has. The UID makes it its own, also after the Destination is deleted and made anew.
func CredentialKey(d *odiv1.Destination, field string) string {
	return "ODI_" + strings.ReplaceAll(string(d.UID), "-", "_") + "_" + strings.ToUpper(field)
}

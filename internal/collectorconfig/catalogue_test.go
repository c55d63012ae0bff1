package collectorconfig

import (
	"maps"
	"strings"
	"testing"

	"github.com/odi-dev/odi/destinations"
	"github.com/odi-dev/odi/internal/testkit/odicollector"
	"github.com/odi-dev/odi/internal/testkit/peers"
)

// A sample is a Destination of one type with values for its fields, and its lane.
type sample struct {
	typ     destinations.Type
	lane    Lane
	secrets map[string]string // by the key under which the gateway has them
}

// samples has one per type: with what it needs alone, or with every field that has a sample.
func samples(t *testing.T, every bool) []sample {
	t.Helper()
	types, err := destinations.Types()
	if err != nil {
		t.Fatal(err)
	}
	certificate, key := peers.Pair(t)
	all := make([]sample, 0, len(types))
	for _, typ := range types {
		config, names := typ.Samples(every)
		name := typ.Name
		if !every {
			name += "-least"
		}
		d := destination("odi-system", name, typ.Name, config)
		s := sample{typ: typ, secrets: map[string]string{}}
		secrets := map[string]string{}
		for _, field := range names {
			secrets[field] = secretFor(typ, field, certificate, key)
			s.secrets[CredentialKey(d, field)] = secrets[field]
		}
		if s.lane, err = LaneOf(d, "odi-system", secrets); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, s)
	}
	return all
}

// secretFor is a value that people can read in what is sent.
func secretFor(typ destinations.Type, field, certificate, key string) string {
	f, _ := typ.Field(field)
	switch f.Format {
	case destinations.FormatCertificate:
		return certificate
	case destinations.FormatKey:
		return key
	}
	return "S3cret" + strings.ReplaceAll(field, "_", "")
}

// TestEveryTypeStarts in the very collector that will run it: all types in one
// gateway, twice; where that is refused, each alone, to name it.
func TestEveryTypeStarts(t *testing.T) {
	v := Validator{Binary: odicollector.Binary(t)}
	for name, every := range map[string]bool{"with what they need": false, "with all of their fields": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // Most of it is waiting for the disk.
			all := samples(t, every)
			lanes := make([]Lane, 0, len(all))
			for _, s := range all {
				lanes = append(lanes, s.lane)
			}
			err := v.Validate(t.Context(), gateway(t, lanes...))
			if err == nil {
				return
			}
			t.Errorf("all together: %v", err)
			for _, s := range all {
				if err := v.Validate(t.Context(), gateway(t, s.lane)); err != nil {
					t.Errorf("%s: %v", s.typ.Name, err)
				}
			}
		})
	}
}

// secretsOf are the files of all samples.
func secretsOf(all []sample) map[string]string {
	secrets := map[string]string{}
	for _, s := range all {
		maps.Copy(secrets, s.secrets)
	}
	return secrets
}

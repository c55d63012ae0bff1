package collectorconfig

import (
	"maps"
	"slices"
	"strings"
	"sync"
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

// TestEveryTypeStarts in the very collector that will run it, some at a time;
// where that is refused, each of them alone, to name it.
func TestEveryTypeStarts(t *testing.T) {
	const atATime = 14 // One process for each type costs more than it tells.
	v := Validator{Binary: odicollector.Binary(t)}
	var some sync.WaitGroup
	for part := range slices.Chunk(append(samples(t, false), samples(t, true)...), atATime) {
		some.Go(func() {
			var lanes []Lane
			for _, s := range part {
				lanes = append(lanes, s.lane)
			}
			err := v.Validate(t.Context(), gateway(t, lanes...))
			if err == nil {
				return
			}
			t.Errorf("together: %v", err)
			for _, s := range part {
				if err := v.Validate(t.Context(), gateway(t, s.lane)); err != nil {
					t.Errorf("%s: %v", s.lane.Name, err)
				}
			}
		})
	}
	some.Wait()
}

// secretsOf are the files of all samples.
func secretsOf(all []sample) map[string]string {
	secrets := map[string]string{}
	for _, s := range all {
		maps.Copy(secrets, s.secrets)
	}
	return secrets
}

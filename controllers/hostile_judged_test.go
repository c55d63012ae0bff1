package controllers

import (
	"errors"
	"math/rand"
	"strings"
	"testing"

	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/internal/outbound"
)

// TestEveryHostileValueIsJudged has each of the hostile cases that concern a field
// judged as the manager does, without a cluster: all of them, where the story takes some.
func TestEveryHostileValueIsJudged(t *testing.T) {
	policy := outbound.Policy{Namespace: "odi-system"}
	judged, refused := 0, 0
	for _, c := range hostileCases(t, rand.New(rand.NewSource(1))) {
		d := c.destination
		if strings.HasPrefix(c.field, "spec.") || c.field == "secretRef.name" || c.field == "type" {
			continue // The API server, or who reads Secrets, refuses it.
		}
		d.Namespace, d.Name, d.UID = "shop", "hostile", "uid"
		secrets := map[string]string{}
		if c.secret != nil {
			for name, value := range c.secret.Data {
				secrets[name] = string(value)
			}
		}
		_, err := collectorconfig.LaneOf(d, "odi-system", secrets)
		err = errors.Join(err, policy.Check(d))
		judged++
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s is odd but valid, and refused: %v", c.what, err)
		case c.field != "" && err == nil:
			t.Errorf("%s is taken", c.what)
		case c.field != "" && !strings.Contains(err.Error(), c.field):
			t.Errorf("%s: its refusal does not name %s: %v", c.what, c.field, err)
		}
		if err != nil {
			refused++
		}
	}
	t.Logf("%d judged, %d of them refused", judged, refused)
	if judged < 5000 {
		t.Errorf("only %d were judged", judged)
	}
}

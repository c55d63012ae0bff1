package export

import (
	"errors"
	"strings"
	"testing"
)

// TestSecretsAreNotTold: a receiver that refuses may say back what it was told.
func TestSecretsAreNotTold(t *testing.T) {
	h := secretsOf(Settings{
		Endpoint: "http://alice:p%40ssw0rd@h:4318/v1/traces?key=s3cret%2Fkey",
		Headers:  map[string]string{"authorization": "Bearer t0ken-1", "x": "a"},
	})
	said := errors.New(`POST http://alice:p%40ssw0rd@h:4318?key=s3cret%2Fkey: 401 not p@ssw0rd, t0ken-1, s3cret/key, YWxpY2U6cEBzc3cwcmQ=; a plan`)
	got := h.hide(said).Error()
	for _, secret := range []string{"p@ss", "p%40ss", "t0ken", "s3cret", "YWxp"} {
		if strings.Contains(got, secret) {
			t.Errorf("%s is in %q", secret, got)
		}
	}
	if !strings.HasSuffix(got, "; a plan") {
		t.Errorf("too much is hidden: %q", got)
	}
	if plain := errors.New("connection refused"); !errors.Is(h.hide(plain), plain) || h.hide(nil) != nil {
		t.Error("what has no secret is changed")
	}
}

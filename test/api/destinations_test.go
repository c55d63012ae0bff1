package api

import (
	"cmp"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/destinations"
	"github.com/odi-dev/odi/internal/testkit"
)

// wish is a Destination as a user writes it.
func wish(name, typ string, config map[string]string, secret string, signals ...odiv1.Signal) *odiv1.Destination {
	d := &odiv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       odiv1.DestinationSpec{Type: typ, Config: config, Signals: signals},
	}
	if secret != "" {
		d.Spec.SecretRef = &odiv1.SecretReference{Name: secret}
	}
	return d
}

// policed is an API server with the policy for Destinations in force.
func policed(t *testing.T) client.Client {
	t.Helper()
	c := testkit.Client(t, testkit.APIServer(t))
	testkit.Namespace(t, c, "shop")
	testkit.Create(t, c, wish("old", "future", nil, ""), wish("valid", "jaeger", map[string]string{"endpoint": "http://jaeger:4317"}, ""))
	for _, policy := range policies(t) {
		if policy.GetName() == "odi-destinations" {
			testkit.Create(t, c, policy)
		}
	}
	testkit.Eventually(t, 20*time.Second, "the policy is in force", func() bool {
		return apierrors.IsInvalid(creates(t, c, wish("x", "nope", nil, ""))())
	})
	return c
}

func TestADestinationIsRefusedByTheNameOfItsField(t *testing.T) {
	c := policed(t)
	endpoint := func(value string) map[string]string { return map[string]string{"endpoint": value} }
	with := func(key, value string) map[string]string {
		return map[string]string{"endpoint": "https://otlp.example.com:4317", key: value}
	}
	for name, tc := range map[string]struct {
		give *odiv1.Destination
		want string // part of the refusal; empty where it is taken
	}{
		"as it should be":              {give: wish("x", "jaeger", endpoint("http://jaeger:4317"), "")},
		"a slash at the end":           {give: wish("x", "jaeger", endpoint("http://jaeger:4317/"), "")},
		"an address of IPv6":           {give: wish("x", "jaeger", endpoint("http://[2001:db8::1]:4317"), "")},
		"a signal that the type takes": {give: wish("x", "loki", endpoint("https://loki.example.com"), "", odiv1.SignalLogs)},
		"a type without any field":     {give: wish("x", "debug", nil, "")},
		"an unknown type":              {wish("x", "jagger", nil, ""), "spec.type: there is no type jagger; to list them: odi destination types"},
		"no endpoint":                  {wish("x", "otlp", nil, ""), "spec.config.endpoint: required by type otlp"},
		"an empty endpoint":            {wish("x", "otlp", endpoint(""), ""), "spec.config.endpoint: required by type otlp"},
		"a word for an endpoint":       {wish("x", "otlp", endpoint("foo"), ""), "spec.config.endpoint: it is no address"},
		"another scheme":               {wish("x", "otlp", endpoint("grpc://foo:4317"), ""), "spec.config.endpoint: it is no address"},
		"a query":                      {wish("x", "otlphttp", endpoint("https://foo/x?y=1"), ""), "spec.config.endpoint: it is no address"},
		"a password":                   {wish("x", "otlp", endpoint("http://me:you@foo:4317"), ""), "spec.config.endpoint: it is no address"},
		"no port":                      {wish("x", "otlp", endpoint("http://foo"), ""), "spec.config.endpoint: the port is missing"},
		"an impossible port":           {wish("x", "otlphttp", endpoint("http://foo:99999"), ""), "spec.config.endpoint: the port is missing, or not between 1 and 65535"},
		"a path after gRPC":            {wish("x", "otlp", endpoint("http://foo:4317/v1/traces"), ""), "spec.config.endpoint: leave away what comes after the port"},
		"an unknown key":               {wish("x", "jaeger", with("colour", "red"), ""), "spec.config.colour: unknown field of type jaeger; valid fields: endpoint"},
		"a secret in plain":            {wish("x", "otlp", with("header_value", "hunter2"), ""), "spec.config.header_value: it is secret"},
		"a choice that is none":        {wish("x", "otlp", with("compression", "lzma"), ""), "spec.config.compression: the value does not match ^(gzip|zstd|snappy|none)$"},
		"a header that is none":        {wish("x", "otlp", with("header_name", "a b"), "s"), "spec.config.header_name: the value does not match"},
		"a certificate that is none":   {wish("x", "otlp", with("ca_pem", "/etc/ssl/ca.crt"), ""), "spec.config.ca_pem: the value does not match"},
		"a signal that the type lacks": {wish("x", "loki", endpoint("https://loki.example.com"), "", odiv1.SignalTraces), "spec.signals: type loki takes no traces; valid signals: logs"},
		"no Secret":                    {wish("x", "honeycomb", nil, ""), "spec.secretRef: required: type honeycomb needs a Secret with api_key"},
	} {
		t.Run(name, func(t *testing.T) {
			err := creates(t, c, tc.give)()
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("it was refused: %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("got %v, want a refusal with %q", err, tc.want)
			}
		})
	}

	t.Run("what is changed is looked at, too", func(t *testing.T) {
		err := patches(t, c, wish("valid", "jaeger", nil, ""), `{"spec":{"config":{"endpoint":"foo"}}}`)()
		if err == nil || !strings.Contains(err.Error(), "spec.config.endpoint: it is no address") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a type of a newer odi is kept, and can be changed and deleted", func(t *testing.T) {
		old := wish("old", "future", nil, "")
		for _, patch := range []string{`{"metadata":{"labels":{"a":"b"}}}`, `{"spec":{"disabled":true}}`, `{"spec":{"config":{"whatever":"x"}}}`} {
			if err := patches(t, c, old, patch)(); err != nil {
				t.Errorf("%s was refused: %v", patch, err)
			}
		}
		if err := c.Delete(t.Context(), old); err != nil {
			t.Error(err)
		}
	})
}

// TestThePolicyRefusesNothingThatTheManagerTakes gives both the same Destinations of every type: what the
// policy refuses the manager refuses, too, and of these all that the manager refuses the policy does.
func TestThePolicyRefusesNothingThatTheManagerTakes(t *testing.T) {
	c := policed(t)
	types, err := destinations.Types()
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, typ := range types {
		for what, d := range variants(typ) {
			asked++
			var secrets []string
			if d.Spec.SecretRef != nil {
				secrets = secretsFor(typ, d.Spec.Config)
			}
			manager := typ.Check(d.Spec.Config, secrets)
			if manager == nil {
				manager = typ.CheckSignals(d.Spec.Signals)
			}
			policy := creates(t, c, d)()
			if (policy == nil) != (manager == nil) {
				t.Errorf("%s, %s %v:\nthe manager says %v\nthe policy says %v", typ.Name, what, d.Spec.Config, manager, policy)
			}
		}
	}
	if asked < 1000 {
		t.Errorf("only %d Destinations were tried", asked)
	}
}

// secretsFor are the secret fields that a type wants, and those without which plain ones mean nothing.
func secretsFor(typ destinations.Type, config map[string]string) []string {
	_, names := typ.Samples(false)
	for _, f := range typ.Fields {
		for range typ.Fields { // At most all of them hang together.
			if config[f.Name] == "" || f.Needs == "" {
				break
			}
			f, _ = typ.Field(f.Needs)
			if f.Secret {
				names = append(names, f.Name)
				break
			}
		}
	}
	return names
}

// variants are Destinations of one type, valid and with one thing wrong each.
func variants(typ destinations.Type) map[string]*odiv1.Destination {
	every, _ := typ.Samples(true)
	needed, secrets := typ.Samples(false)
	secret := ""
	if len(secrets) > 0 {
		secret = "keys"
	}
	all := map[string]*odiv1.Destination{
		"with what is needed": wish("x", typ.Name, needed, secret),
		"with everything":     wish("x", typ.Name, every, "keys"),
		"with all signals":    wish("x", typ.Name, needed, secret, odiv1.SignalTraces, odiv1.SignalMetrics, odiv1.SignalLogs),
	}
	if secret != "" {
		all["without Secret"] = wish("x", typ.Name, needed, "")
	}
	change := func(what, key, value string) {
		config := maps.Clone(every)
		config[key] = value
		all[what] = wish("x", typ.Name, config, "keys")
	}
	change("unknown key", "colour", "red")
	for _, f := range typ.Fields {
		if f.Secret {
			change(f.Name+" in plain", f.Name, "hunter2")
			continue
		}
		if f.Required {
			config := maps.Clone(every)
			delete(config, f.Name)
			all["without "+f.Name] = wish("x", typ.Name, config, "keys")
		}
		if len(f.Enum) > 0 || f.Pattern != "" || f.Format == destinations.FormatHost || f.Format == destinations.FormatHeader {
			change(f.Name+" wrong", f.Name, "no such/value")
		}
		if f.Address == "" {
			continue
		}
		for _, address := range []string{
			"foo", "foo:4317", "ftp://foo:21", "http://foo", "http://foo:", "http://foo:0", "http://foo:65535", "http://foo:65536", "https://foo:99999",
			"https://foo.example.com:443/", "http://foo:4317/a", "http://foo:1?x", "http://foo:1/#a", "http://a b:1", "http://me@foo:1", "http://foo:otlp",
			"http://[::1]:4317", "http://10.0.0.1:4317", "http://foo_bar:4317", "http://:4317", "http://foo:4317/%zz",
		} {
			config := maps.Clone(every)
			if needs, has := typ.Field(f.Needs); has { // Beside it, nothing that may be in its way.
				config = maps.Clone(needed)
				config[needs.Name] = cmp.Or(needs.Sample(), "x")
			}
			config[f.Name] = address
			all[fmt.Sprintf("%s %q", f.Name, address)] = wish("x", typ.Name, config, "keys")
		}
	}
	return all
}

package controllers

import (
	"cmp"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/destinations"
)

// A hostile case is a Destination that somebody makes to harm others, or by mistake.
type hostile struct {
	what        string
	destination *odiv1.Destination
	secret      *corev1.Secret
	// field is what the refusal names: the API server's, or the condition's. Empty
	// for one that is odd and valid.
	field string
	// toNobody is set where the address is the test's, not a vendor's in the type.
	toNobody bool
}

// hostileCases are every field of every type with every value that fits its kind,
// and what can be wrong besides, in the order of the seed.
func hostileCases(t *testing.T, random *rand.Rand) []hostile {
	t.Helper()
	types, err := destinations.Types()
	if err != nil {
		t.Fatal(err)
	}
	var cases []hostile
	for _, typ := range types {
		for _, f := range typ.Fields {
			cases = append(cases, fieldCases(typ, f)...)
		}
		cases = append(cases, typeCases(typ)...)
	}
	cases = slices.DeleteFunc(cases, func(c hostile) bool {
		// A test sends nothing to a vendor.
		return c.field == "" && !c.toNobody
	})
	random.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	return cases
}

const pemOfNothing = "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n"

// metacharacters mean something to one of the many readers of a configuration.
var metacharacters = []string{
	"${env:HOME}", "$${env:HOME}", "${file:/etc/passwd}", "${secret:ODI_x}", "$", "{{endpoint}}", "{{ .Values.x }}", "{{",
	"a: b", "- a", "&a", "*a", "!!binary eA==", "'", `"`, "`id`", "|", ">", "#", "%zz", "null", "~", "yes", "[1, 2]", "{a: b}",
	"../../etc/passwd", "a\nexporters: {}", "a\r\nhost: x", "\t", "\u202ex", "é", "\x7f", strings.Repeat("a", 2000), strings.Repeat("a", 5000),
}

// wrongAddresses are those that no Destination may have, besides metacharacters.
var wrongAddresses = []string{
	"http://%zz:4317", "http://host/%zz?", "http://host:99999", "http://host:0", "http://host:", "http://", "http://:4317", "ftp://host", "file:///etc/passwd",
	"unix:///run/x.sock", "dns:///host", "http://user:hunter2@host", "http://ho st", "http://host#x", "http://-host", "http://a..b", "http://2130706433:4317",
	"http://127.0.0.2:4317", "http://127.1:4317", "http://localhost:4317", "http://[::1]:4317", "http://[::]:4317", "http://0.0.0.0:4317", "http://[::ffff:127.0.0.2]:1",
	"http://[fe80::1]:4317", "http://[fe80::1%25lo]:4317", "http://169.254.169.254", "http://[fd00:ec2::254]", "http://224.0.0.1:1", "http://255.255.255.255:1",
	"http://odi-gateway:4317", "http://odi-gateway.odi-system:4317", "http://odi-gateway.odi-system.svc:4317", "http://ODI-GATEWAY.odi-system.svc.cluster.local.:4317",
	"http://odi-node-collector.odi-system:4317", "https://kubernetes.default.svc", "https://kubernetes", "http://${env:HOME}:4317", "https://%41:1", "http://{{endpoint}}:4317", "http://*:4317",
}

// oddAddresses are valid, and nobody is there.
var oddAddresses = []string{"http://198.18.255.254:4317", "http://no-such-host.invalid:4317", "https://198.18.255.254:443", "http://x.localdomain:1", "http://10.255.255.254:4317"}

func fieldCases(typ destinations.Type, f destinations.Field) []hostile {
	var cases []hostile
	add := func(value, refused string) {
		c := valid(typ)
		c.what, c.field = fmt.Sprintf("%s %s=%.60q", typ.Name, f.Name, value), refused
		c.setNeeded(typ, f)
		c.set(f, value)
		cases = append(cases, c)
	}
	values := metacharacters
	switch {
	case f.Address != "":
		values = append(values, wrongAddresses...)
		for _, value := range oddAddresses {
			add(value, "")
		}
	case f.Secret:
		values = []string{"a\nb", "a\rb", "é", "\x00", "\xff\xfe", "\x7f", "a\u202eb", strings.Repeat("a", 9<<10)}
		for _, value := range []string{"${env:HOME}", "$$", "{{x}}", "yes:#no", `"'`, "&a*b", strings.Repeat("a", 8<<10)} {
			add(value, refusedBy(f, value))
		}
		for _, value := range values {
			add(value, f.Name)
		}
		return cases
	case f.Format == destinations.FormatCertificate:
		values = append(values, pemOfNothing, strings.Repeat(pemOfNothing, 40), strings.TrimSpace(pemOfNothing)[:27], "-----BEGIN PRIVATE KEY-----\neA==\n-----END PRIVATE KEY-----")
	case f.Format == destinations.FormatHeader:
		values = append(values, "host", "content-type", "grpc-timeout", ":path", "x-bin", "odi-hop", "a b")
	}
	for _, value := range values {
		refused := f.Name
		switch {
		case len(value) > 4096:
			refused = "spec.config" // The API server refuses it.
		case !slices.Contains(wrongAddresses, value):
			refused = refusedBy(f, value) // For example "null" is fine as a header.
		}
		add(value, refused)
	}
	return cases
}

// refusedBy is the field's name where the field takes no such value.
func refusedBy(f destinations.Field, value string) string {
	if f.Check(value) == nil {
		return ""
	}
	return f.Name
}

// valid is a Destination of a type, with its Secret, that is right until it is changed.
func valid(typ destinations.Type) hostile {
	c := hostile{destination: destinationOf(typ), toNobody: typ.Exporters[0].Local}
	for _, f := range typ.Fields {
		c.toNobody = c.toNobody || f.Address != ""
	}
	_, names := typ.Samples(false)
	for _, name := range names {
		f, _ := typ.Field(name)
		c.set(f, "x")
	}
	return c
}

// set gives a field a value, where it belongs.
func (c *hostile) set(f destinations.Field, value string) {
	if !f.Secret {
		c.destination.Spec.Config[f.Name] = value
		return
	}
	if c.secret == nil {
		c.secret = usable(map[string][]byte{})
		c.destination.Spec.SecretRef = &odiv1.SecretReference{Name: "x"}
	}
	c.secret.Data[f.Name] = []byte(value)
}

// setNeeded gives what a field needs, and what that needs in turn, until it is the field again.
func (c *hostile) setNeeded(typ destinations.Type, f destinations.Field) {
	needed, has := typ.Field(f.Needs)
	for range typ.Fields {
		if !has || needed.Name == f.Name {
			return
		}
		value := needed.Sample()
		if needed.Address != "" {
			value = nobody
		}
		c.set(needed, cmp.Or(value, "x"))
		needed, has = typ.Field(needed.Needs)
	}
}

// nobody is an address where no receiver is.
const nobody = "http://no-such-host.invalid:4317"

// typeCases are wrong beside the fields.
func typeCases(typ destinations.Type) []hostile {
	var cases []hostile
	add := func(what, field string, change func(*hostile)) {
		c := valid(typ)
		c.what, c.field = typ.Name+" "+what, field
		change(&c)
		cases = append(cases, c)
	}
	for _, name := range []string{"no_such", "__proto__", "sending_queue", "${env:HOME}", "a: b", "endpoint ", strings.Repeat("x", 64)} {
		field := name
		if len(name) > 63 {
			field = "spec.config"
		}
		add(fmt.Sprintf("with a field %.20q", name), field, func(c *hostile) { c.destination.Spec.Config[name] = "x" })
	}
	for _, name := range []string{"a/b", "..", "A", "${x}", strings.Repeat("x", 254)} {
		add(fmt.Sprintf("with the Secret %.20q", name), "secretRef.name", func(c *hostile) { c.destination.Spec.SecretRef = &odiv1.SecretReference{Name: name} })
	}
	add("with a Secret that is not there", "secretRef.name", func(c *hostile) {
		c.secret, c.destination.Spec.SecretRef = nil, &odiv1.SecretReference{Name: "x"}
	})
	for kind, data := range map[corev1.SecretType]map[string][]byte{
		corev1.SecretTypeServiceAccountToken: {"token": []byte("x")},
		corev1.SecretTypeTLS:                 {"tls.crt": []byte("x"), "tls.key": []byte("x"), "token": []byte("x"), "header_value": []byte("x")},
		corev1.SecretTypeDockerConfigJson:    {".dockerconfigjson": []byte("{}"), "token": []byte("x")},
		corev1.SecretTypeBasicAuth:           {"username": []byte("x"), "token": []byte("x")},
		"bootstrap.kubernetes.io/token":      {"token": []byte("x")},
		"helm.sh/release.v1":                 {"release": []byte("x"), "token": []byte("x")},
	} {
		add("with a Secret of type "+string(kind), "secretRef.name", func(c *hostile) {
			c.secret = usable(data)
			c.secret.Type = kind
			c.secret.Annotations = map[string]string{corev1.ServiceAccountNameKey: "default"}
			c.destination.Spec.SecretRef = &odiv1.SecretReference{Name: "x"}
		})
	}
	add("with a Secret that nobody marked", "secretRef.name", func(c *hostile) {
		c.secret = usable(map[string][]byte{"token": []byte("x"), "header_value": []byte("x")})
		c.secret.Labels = nil
		c.destination.Spec.SecretRef = &odiv1.SecretReference{Name: "x"}
	})
	add("with a signal that does not exist", "spec.signals", func(c *hostile) { c.destination.Spec.Signals = []odiv1.Signal{"profiles"} })
	add("of another type", "type", func(c *hostile) { c.destination.Spec.Type = "no-such" })
	add("of a type with metacharacters", "spec.type", func(c *hostile) { c.destination.Spec.Type = "{{x}}" })
	if typ.Category != "standard" {
		return cases // These are large.
	}
	for name, refused := range map[string]string{"other": "", "header_value": "header_value"} {
		add("with 600 KiB of "+name, refused, func(c *hostile) {
			c.secret = usable(map[string][]byte{name: []byte(strings.Repeat("x", 600<<10))})
			c.destination.Spec.SecretRef = &odiv1.SecretReference{Name: "x"}
		})
	}
	return cases
}

// destinationOf is one that is valid until it is changed, but for secrets.
func destinationOf(typ destinations.Type) *odiv1.Destination {
	config, _ := typ.Samples(false)
	for _, f := range typ.Fields {
		if f.Address != "" && f.Needs == "" {
			config[f.Name] = nobody
		}
	}
	return &odiv1.Destination{Spec: odiv1.DestinationSpec{Type: typ.Name, Config: config}}
}

func usable(data map[string][]byte) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{odiv1.LabelUsableBy: odiv1.UsableByDestinations}},
		Data:       data,
	}
}

package identity

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/odi-dev/odi/internal/telemetry"
)

// maxAttributes bounds what a process can add to every batch by its environment.
const maxAttributes = telemetry.MaxAttributes / 2

const (
	envName       = "OTEL_SERVICE_NAME"
	envAttributes = "OTEL_RESOURCE_ATTRIBUTES"
)

// KeepEnv says which variables of a process name the service it is.
func KeepEnv(name string) bool { return name == envName || name == envAttributes }

// Named is what a process's environment says of its service; each may be empty.
type Named struct {
	Service, Namespace, Version, Instance string
	// Others are further attributes. Resource takes those that odi does not know
	// itself: where the process runs, odi has seen.
	Others []Attribute
}

// measured begin the keys that odi alone sets: the process has no say in what it
// is, nor in who watches it.
var measured = []string{"process.", "telemetry."}

// FromEnv reads OTEL_SERVICE_NAME, which wins, and OTEL_RESOURCE_ATTRIBUTES:
// key=value, parted by commas, with percent-encoded values. Entries without key or
// value are left out; a value that cannot be decoded is taken as it is.
func FromEnv(env map[string]string) Named {
	var n Named
	for entry := range strings.SplitSeq(env[envAttributes], ",") {
		key, value, _ := strings.Cut(entry, "=")
		n.set(strings.TrimSpace(key), decoded(value))
	}
	if name := decodedText(env[envName]); name != "" {
		n.Service = name
	}
	return n
}

// set takes one attribute; the last of several of one key counts.
func (n *Named) set(key, value string) {
	if key == "" || value == "" || len(key) > telemetry.MaxKey || !utf8.ValidString(key) {
		return
	}
	if name := n.name(key); name != nil {
		*name = value
		return
	}
	if slices.ContainsFunc(measured, func(prefix string) bool { return strings.HasPrefix(key, prefix) }) {
		return
	}
	n.setOther(Attribute{Key: key, Value: value})
}

// name is where the value of a key that names the service is kept, and nil for any other key.
func (n *Named) name(key string) *string {
	switch key {
	case telemetry.ServiceName:
		return &n.Service
	case telemetry.ServiceNamespace:
		return &n.Namespace
	case telemetry.ServiceVersion:
		return &n.Version
	case telemetry.ServiceInstanceID:
		return &n.Instance
	}
	return nil
}

func (n *Named) setOther(a Attribute) {
	at := slices.IndexFunc(n.Others, func(have Attribute) bool { return have.Key == a.Key })
	switch {
	case at >= 0:
		n.Others[at] = a
	case len(n.Others) < maxAttributes:
		n.Others = append(n.Others, a)
	}
}

func decoded(value string) string {
	value = strings.TrimSpace(value)
	if plain, err := url.PathUnescape(value); err == nil {
		value = plain
	}
	return decodedText(value)
}

// decodedText makes text of what a process wrote.
func decodedText(text string) string { return telemetry.Clip(text, telemetry.MaxValue) }

package identity

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/odi-dev/odi/internal/telemetry"
)

const (
	// maxAttributes and maxText bound what a process can add to every batch by its
	// environment.
	maxAttributes = 64
	maxText       = 1024
)

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
	if key == "" || value == "" || len(key) > maxText || !utf8.ValidString(key) {
		return
	}
	switch key {
	case telemetry.ServiceName:
		n.Service = value
		return
	case telemetry.ServiceNamespace:
		n.Namespace = value
		return
	case telemetry.ServiceVersion:
		n.Version = value
		return
	case telemetry.ServiceInstanceID:
		n.Instance = value
		return
	}
	if slices.ContainsFunc(measured, func(prefix string) bool { return strings.HasPrefix(key, prefix) }) {
		return
	}
	for i := range n.Others {
		if n.Others[i].Key == key {
			n.Others[i].Value = value
			return
		}
	}
	if len(n.Others) < maxAttributes {
		n.Others = append(n.Others, Attribute{Key: key, Value: value})
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
func decodedText(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	return text
}

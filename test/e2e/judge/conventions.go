package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/trace"
)

// resourceKeys must be on every span's resource.
var resourceKeys = []string{
	"service.name", "service.instance.id",
	"k8s.namespace.name", "k8s.pod.name", "k8s.pod.uid", "k8s.deployment.name", "k8s.container.name", "k8s.node.name",
	"container.id", "process.pid", "telemetry.distro.version",
}

// keysOf must be on every span of a kind.
var keysOf = map[trace.Kind][]string{
	trace.Server: {"url.path", "url.scheme", "server.address", "server.port", "client.address", "network.peer.address", "network.peer.port"},
	trace.Client: {"url.full", "server.address", "server.port", "network.peer.address", "network.peer.port"},
}

// deprecated attributes and prefixes that the conventions dropped.
var deprecated = []string{
	"http.method", "http.url", "http.target", "http.host", "http.scheme", "http.status_code", "http.flavor",
	"http.user_agent", "http.client_ip", "peer.service", "net.",
}

// languages are those that the conventions have a word for.
var languages = map[string]string{
	"frontend": "go", "catalogue": "go", "pricing": "go", "recommender": "python", "inventory": "java",
}

// Conventions lists where a span of the shop, answered with 200 to a GET,
// breaks the semantic conventions or lacks what odi promises.
func Conventions(s trace.Span) []string {
	var wrong []string
	for key, want := range exactly(s) {
		if got := value(s, key); got != want {
			wrong = append(wrong, fmt.Sprintf("%s is %q, want %q", key, got, want))
		}
	}
	for _, key := range slices.Concat(resourceKeys, keysOf[s.Kind]) {
		if value(s, key) == "" {
			wrong = append(wrong, key+" is missing")
		}
	}
	for key := range s.Attributes {
		if isDeprecated(key) {
			wrong = append(wrong, key+" is deprecated")
		}
	}
	wrong = append(wrong, misnamed(s)...)
	if s.Failed {
		wrong = append(wrong, "status is Error")
	}
	if s.End.Before(s.Start) {
		wrong = append(wrong, fmt.Sprintf("ends %s before it starts", s.Start.Sub(s.End)))
	}
	for i := range wrong {
		wrong[i] = describe(s) + ": " + wrong[i]
	}
	return wrong
}

func misnamed(s trace.Span) []string {
	var wrong []string
	if s.Name != "GET" && !strings.HasPrefix(s.Name, "GET /") {
		wrong = append(wrong, fmt.Sprintf("name is %q, want GET or GET with a route", s.Name))
	}
	if strings.Contains(s.Name, s.Marker()) {
		wrong = append(wrong, fmt.Sprintf("name %q has the path's own value in it", s.Name))
	}
	return wrong
}

func isDeprecated(key string) bool {
	return slices.ContainsFunc(deprecated, func(d string) bool {
		return key == d || strings.HasSuffix(d, ".") && strings.HasPrefix(key, d)
	})
}

func exactly(s trace.Span) map[string]string {
	want := map[string]string{
		"http.request.method":       "GET",
		"http.response.status_code": "200",
		"k8s.namespace.name":        shop.Namespace,
		"k8s.deployment.name":       s.Service,
		"telemetry.distro.name":     "odi",
	}
	if s.Kind == trace.Server {
		want["url.scheme"] = "http"
	}
	if language, ok := languages[s.Service]; ok {
		want["telemetry.sdk.language"] = language
	}
	return want
}

func value(s trace.Span, key string) string {
	if v, ok := s.Attributes[key]; ok {
		return v
	}
	return s.Resource[key]
}

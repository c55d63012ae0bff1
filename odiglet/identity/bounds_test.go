package identity

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/internal/telemetry"
)

// largestResource is what one process can add to a batch at the most.
const largestResource = 160 << 10

// hostile are texts that a workload can have in any place that it has a say in.
func hostile() map[string]string {
	return map[string]string{
		"as long as an environment": strings.Repeat("x", 128<<10),
		"letters of four bytes":     strings.Repeat("\U0001F600", 40_000),
		"letters, odd":              "a" + strings.Repeat("é", 70_000),
		"no text":                   strings.Repeat("\xff\xc3", 60_000),
		"percents":                  strings.Repeat("%F0%9F%98%80", 9_000),
		"control":                   strings.Repeat("\x00\x1b[2J", 20_000),
	}
}

// TestNoWorkloadMakesALargeResource puts such texts into everything that is read of a workload.
func TestNoWorkloadMakesALargeResource(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			var attributes strings.Builder
			fmt.Fprintf(&attributes, "service.version=%s,service.instance.id=%s,service.namespace=%s", text, text, text)
			for i := range 1000 {
				fmt.Fprintf(&attributes, ",k%d=%.1500s", i, text)
			}
			env := map[string]string{envName: text, envAttributes: attributes.String()}
			for what, s := range map[string]Service{
				"of a pod": OfPod(Pod{
					Namespace: "shop", Name: "cart", WorkloadKind: "Deployment", WorkloadName: "cart", Container: "app",
					Image: "registry/" + text + ":" + text, Env: env, Language: text,
				}),
				"named by an annotation": OfPod(Pod{Namespace: "shop", Name: "cart", ServiceName: text}),
				"of a host":              OfHost(Host{Hostname: text, Group: Group{Program: text}, ContainerID: text, Env: env}),
			} {
				for key, part := range map[string]string{"name": s.Name, "namespace": s.Namespace, "version": s.Version, "instance": s.InstanceID} {
					if len(part) > telemetry.MaxValue || !utf8.ValidString(part) {
						t.Errorf("%s: the %s has %d bytes", what, key, len(part))
					}
				}
				checkResource(t, what, s.ProcessResource(1, text))
			}
		})
	}
}

func checkResource(t *testing.T, what string, r pcommon.Resource) {
	t.Helper()
	td := ptrace.NewTraces()
	r.CopyTo(td.ResourceSpans().AppendEmpty().Resource())
	if size := (&ptrace.ProtoMarshaler{}).TracesSize(td); size > largestResource {
		t.Errorf("%s: a resource of %d bytes", what, size)
	}
	if n := r.Attributes().Len(); n > telemetry.MaxAttributes+1 {
		t.Errorf("%s: %d attributes", what, n)
	}
	for key, value := range r.Attributes().All() {
		if value.Type() == pcommon.ValueTypeSlice {
			value = value.Slice().At(0)
		}
		if text := value.AsString(); len(key) > telemetry.MaxKey || !utf8.ValidString(key) || len(text) > telemetry.MaxValue || !utf8.ValidString(text) {
			t.Errorf("%s: %.40q has %d bytes", what, key, len(text))
		}
	}
}

package identity

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/internal/version"
	"github.com/odi-dev/odi/odiglet/identity/program"
)

func TestOfPod(t *testing.T) {
	base := Pod{
		Namespace: "shop", Name: "cart-5d9-x", UID: "u1", Node: "n1",
		WorkloadKind: "Deployment", WorkloadName: "cart", ReplicaSet: "cart-5d9",
		Container: "app", ContainerID: "abc", Image: "registry:5000/shop/cart:1.2@sha256:00", Language: "go",
		IP:      "10.0.0.7",
		Seen:    []Attribute{{Key: "k8s.cluster.uid", Value: "c1"}, {Key: "k8s.cluster.name", Value: ""}, {Key: "host.id", Value: "m1"}, {Key: "host.arch", Value: "arm64"}},
		Assumed: []Attribute{{Key: "deployment.environment.name", Value: "production"}},
	}
	got := OfPod(base).ProcessResource(42, "cart").Attributes().AsRaw()
	want := map[string]any{
		"service.name": "cart", "service.namespace": "shop", "service.version": "1.2", "service.instance.id": "shop.cart-5d9-x.app",
		"telemetry.sdk.name": "odi", "telemetry.sdk.version": version.Version,
		"k8s.cluster.uid": "c1", "host.id": "m1", "host.arch": "arm64", "k8s.pod.ip": "10.0.0.7", "deployment.environment.name": "production",
		"telemetry.sdk.language": "go", "telemetry.distro.name": "odi", "telemetry.distro.version": version.Version, "os.type": "linux",
		"k8s.namespace.name": "shop", "k8s.deployment.name": "cart", "k8s.replicaset.name": "cart-5d9", "k8s.pod.name": "cart-5d9-x", "k8s.pod.uid": "u1",
		"k8s.container.name": "app", "k8s.node.name": "n1", "host.name": "n1", "container.id": "abc",
		"container.image.name": "registry:5000/shop/cart", "container.image.tags": []any{"1.2"},
		"process.pid": int64(42), "process.executable.name": "cart",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resource (-want +got):\n%s", diff)
	}

	for name, tc := range map[string]struct {
		change func(*Pod)
		want   string
	}{
		"the workload names the service":             {change: func(*Pod) {}, want: "cart"},
		"the process's own variable is nearer":       {change: func(p *Pod) { p.Env = map[string]string{"OTEL_SERVICE_NAME": "env"} }, want: "env"},
		"and so are its resource attributes":         {change: func(p *Pod) { p.Env = map[string]string{"OTEL_RESOURCE_ATTRIBUTES": "a=b,service.name=my%20cart"} }, want: "my cart"},
		"the environment wins, as it does in an SDK": {change: func(p *Pod) { p.ServiceName = "chosen"; p.Env = map[string]string{"OTEL_SERVICE_NAME": "env"} }, want: "env"},
		"the annotation wins over the workload":      {change: func(p *Pod) { p.ServiceName = "chosen" }, want: "chosen"},
	} {
		t.Run(name, func(t *testing.T) {
			p := base
			tc.change(&p)
			if got := OfPod(p).Name; got != tc.want {
				t.Errorf("service.name = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestTheProcessKnowsItsEnvironmentBest(t *testing.T) {
	pod := Pod{
		Seen:    []Attribute{{Key: "k8s.cluster.name", Value: "eu-1"}},
		Assumed: []Attribute{{Key: "deployment.environment.name", Value: "production"}},
		Env:     map[string]string{"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=canary,k8s.cluster.name=forged"},
	}
	got := OfPod(pod).Resource().Attributes().AsRaw()
	if got["deployment.environment.name"] != "canary" || got["k8s.cluster.name"] != "eu-1" {
		t.Errorf("resource: %v", got)
	}
}

func TestFromEnv(t *testing.T) {
	for name, tc := range map[string]struct {
		env  string
		want Named
	}{
		"nothing":                        {},
		"what names the service":         {env: "service.name=cart,service.namespace=shop,service.version=1.2,service.instance.id=c1", want: Named{Service: "cart", Namespace: "shop", Version: "1.2", Instance: "c1"}},
		"anything else, as it comes":     {env: "team=a,deployment.environment.name=prod", want: Named{Others: []Attribute{{Key: "team", Value: "a"}, {Key: "deployment.environment.name", Value: "prod"}}}},
		"encoded values and blanks":      {env: " team = a%2Cb%20c , x=%C3%A4", want: Named{Others: []Attribute{{Key: "team", Value: "a,b c"}, {Key: "x", Value: "ä"}}}},
		"an equals sign in a value":      {env: "x=a=b", want: Named{Others: []Attribute{{Key: "x", Value: "a=b"}}}},
		"entries that are none":          {env: ",,x,=y,z=,team=a,", want: Named{Others: []Attribute{{Key: "team", Value: "a"}}}},
		"a value that cannot be decoded": {env: "x=100%,y=%zz", want: Named{Others: []Attribute{{Key: "x", Value: "100%"}, {Key: "y", Value: "%zz"}}}},
		"the last of a key":              {env: "x=1,service.name=a,x=2,service.name=b", want: Named{Service: "b", Others: []Attribute{{Key: "x", Value: "2"}}}},
		"what odi alone can know":        {env: "process.pid=1,telemetry.sdk.language=cobol", want: Named{}},
		"bytes that are no text":         {env: "x=%ff", want: Named{Others: []Attribute{{Key: "x", Value: "\uFFFD"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, FromEnv(map[string]string{envAttributes: tc.env})); diff != "" {
				t.Errorf("named (-want +got):\n%s", diff)
			}
		})
	}
	many := FromEnv(map[string]string{envAttributes: strings.Repeat("x", 5000) + "=1,big=" + strings.Repeat("ä", 5000) + manyEntries(500)})
	if len(many.Others) != maxAttributes || len(many.Others[0].Value) > telemetry.MaxValue {
		t.Errorf("%d attributes, the first of %d bytes", len(many.Others), len(many.Others[0].Value))
	}
}

func manyEntries(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ",k%d=v", i)
	}
	return b.String()
}

// TestWhereAProcessRunsOdiKnows: its environment adds to its resource, and wins in
// what names the service, but not in what odi has seen.
func TestWhereAProcessRunsOdiKnows(t *testing.T) {
	env := map[string]string{envAttributes: "host.name=elsewhere,k8s.pod.name=other,container.id=x,k8s.cluster.name=c1,team=a,service.version=2"}
	host := OfHost(Host{Hostname: "h", Env: env, Group: Group{PID: 7, Start: 9, Program: "cart"}}).Resource().Attributes().AsRaw()
	pod := OfPod(Pod{Namespace: "shop", Name: "cart-1", Node: "n1", Container: "app", ContainerID: "abc", WorkloadName: "cart", Image: "cart:1", Env: env}).Resource().Attributes().AsRaw()
	for name, tc := range map[string]struct{ got, want any }{
		"host":              {host["host.name"], "h"},
		"name":              {host["service.name"], "cart"},
		"instance":          {host["service.instance.id"], "h:7:9"},
		"team":              {host["team"], "a"},
		"no pod of odi's":   {host["k8s.pod.name"], "other"},
		"pod":               {pod["k8s.pod.name"], "cart-1"},
		"node":              {pod["host.name"], "n1"},
		"container":         {pod["container.id"], "abc"},
		"cluster":           {pod["k8s.cluster.name"], "c1"},
		"version":           {pod["service.version"], "2"},
		"instance of a pod": {pod["service.instance.id"], "shop.cart-1.app"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %v, want %v", name, tc.got, tc.want)
		}
	}
}

func TestGroupOf(t *testing.T) {
	const python = "/usr/bin/python3.11"
	parent := Group{PID: 5, Start: 50, Exe: python, Program: "shop"}
	for name, tc := range map[string]struct {
		exe   string
		args  []string
		group bool
		want  string
	}{
		"a forked worker":                      {python, []string{"python3", "/usr/bin/gunicorn", "shop.wsgi"}, true, "shop"},
		"a worker that wrote over its title":   {python, []string{"gunicorn: worker [shop.wsgi]"}, true, "shop"},
		"a title that says nothing":            {python, []string{"shop-worker: idle"}, true, "shop"},
		"a helper of the runtime":              {python, []string{"python3", "-c", "from multiprocessing.spawn import spawn_main"}, true, "shop"},
		"another program in the same language": {python, []string{"python3", "report.py"}, false, "report"},
		"another executable":                   {"/usr/bin/curl", []string{"curl", "x"}, false, "curl"},
		"the same program by another runtime":  {"/usr/bin/python3.12", []string{"python3", "-c", "1"}, false, "python3.12"},
	} {
		t.Run(name, func(t *testing.T) {
			got := GroupOf(9, 90, program.Command{Exe: tc.exe, Args: tc.args}, parent)
			if (got.PID == parent.PID) != tc.group || got.Program != tc.want {
				t.Errorf("group %+v", got)
			}
		})
	}
	if got := GroupOf(9, 90, program.Command{Exe: "/x", Args: []string{"x"}}, Group{}); got.PID != 9 || got.Start != 90 {
		t.Errorf("without a parent: %+v", got)
	}
}

func TestSplitImage(t *testing.T) {
	for image, want := range map[string][2]string{
		"nginx":                      {"nginx", ""},
		"nginx:1.27":                 {"nginx", "1.27"},
		"localhost:5000/a":           {"localhost:5000/a", ""},
		"ghcr.io/o/a:v1@sha256:0011": {"ghcr.io/o/a", "v1"},
	} {
		if n, tag := splitImage(image); n != want[0] || tag != want[1] {
			t.Errorf("splitImage(%s) = %s, %s", image, n, tag)
		}
	}
}

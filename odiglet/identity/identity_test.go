package identity

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/internal/version"
)

func TestOfPod(t *testing.T) {
	base := Pod{
		Namespace: "shop", Name: "cart-5d9-x", UID: "u1", Node: "n1",
		WorkloadKind: "Deployment", WorkloadName: "cart", ReplicaSet: "cart-5d9",
		Container: "app", ContainerID: "abc", Image: "registry:5000/shop/cart:1.2@sha256:00", Language: "go",
	}
	got := OfPod(base).ProcessResource(42, "cart").Attributes().AsRaw()
	want := map[string]any{
		"service.name": "cart", "service.namespace": "shop", "service.version": "1.2", "service.instance.id": "shop.cart-5d9-x.app",
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
		"the user's annotation wins over everything": {change: func(p *Pod) { p.ServiceName = "chosen"; p.Env = map[string]string{"OTEL_SERVICE_NAME": "env"} }, want: "chosen"},
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

func TestProgramName(t *testing.T) {
	for name, tc := range map[string]struct {
		exe  string
		args []string
		want string
	}{
		"a compiled program":             {"/usr/bin/cart", []string{"cart", "serve"}, "cart"},
		"a Python script":                {"/usr/bin/python3.13", []string{"python3", "-u", "/app/recommender.py"}, "recommender"},
		"a Python module":                {"/usr/bin/python3", []string{"python3", "-m", "gunicorn", "app:app"}, "gunicorn"},
		"a Python program from a pipe":   {"/usr/bin/python3", []string{"python3", "-c", "print(1)"}, "python3"},
		"Python with an option's value":  {"/usr/bin/python3", []string{"python3", "-W", "ignore", "app.py"}, "app"},
		"a Java class":                   {"/usr/lib/jvm/bin/java", []string{"java", "-Xmx1g", "-cp", "a.jar:b.jar", "com.example.Inventory"}, "Inventory"},
		"a Java archive":                 {"/usr/bin/java", []string{"java", "-jar", "/srv/orders.jar", "--port=1"}, "orders"},
		"Node.js with a preload":         {"/usr/bin/node", []string{"node", "-r", "./tracing.js", "server.js"}, "server"},
		"PHP's own web server":           {"/usr/bin/php8.2", []string{"php", "-S", "127.0.0.1:8080", "-t", "/srv", "/srv/router.php"}, "router"},
		"PHP's server without a router":  {"/usr/bin/php8.2", []string{"php", "-S", "127.0.0.1:8080"}, "php8.2"},
		"Ruby with a library":            {"/usr/bin/ruby3.1", []string{"ruby", "-r", "bundler/setup", "shop.rb"}, "shop"},
		"an interpreter alone":           {"/usr/bin/node", []string{"node"}, "node"},
		"a program that sounds like one": {"/usr/bin/nodeagent", []string{"nodeagent", "x.js"}, "nodeagent"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ProgramName(tc.exe, tc.args); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
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

package injection

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/instrumentor"
)

var (
	pods = flag.Int("pods", 300, "how many pods to generate for each delivery")
	seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "what they are made from")
)

// tally is what became of pods.
type tally struct{ tried, valid, injected, refused, undocumented, again atomic.Int64 }

// TestInjectionHarmsNoPod: what the API server takes it takes with the webhook, and what it refuses it refuses;
// nothing changes but what is documented, and nothing more the second time.
func TestInjectionHarmsNoPod(t *testing.T) {
	for _, delivery := range []instrumentor.Delivery{instrumentor.InitContainer, instrumentor.ImageVolume} {
		t.Run(string(delivery), func(t *testing.T) {
			s := newStage(t, delivery)
			tries := s.tries(t)
			var count tally
			work := make(chan object)
			var all sync.WaitGroup
			for range 6 {
				all.Go(func() {
					for pod := range work {
						s.try(t, tries, pod, &count)
					}
				})
			}
			known := realistic(s.owner())
			for _, pod := range known {
				work <- pod
			}
			g := &generator{Rand: rand.New(rand.NewPCG(*seed, 0))}
			for i := range *pods {
				work <- g.pod(i, s.owner())
			}
			close(work)
			all.Wait()
			t.Logf("seed %d: %d pods (%d of them realistic), %d valid, %d of these injected, %d refused with the webhook alone, %d with undocumented changes, %d changed again",
				*seed, count.tried.Load(), len(known), count.valid.Load(), count.injected.Load(), count.refused.Load(), count.undocumented.Load(), count.again.Load())
			if len(known) < 100 || count.valid.Load() < count.tried.Load()/3 || count.injected.Load() < count.valid.Load()/4 {
				t.Error("too few pods are realistic, valid or injected for a proof")
			}
		})
	}
}

// tries sends raw pods by dry-run, so that fields that this odi does not know are sent, too.
type tries struct{ rest rest.Interface }

func (s *stage) tries(t *testing.T) tries {
	t.Helper()
	config := rest.CopyConfig(s.admin)
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.c.Get(t.Context(), client.ObjectKeyFromObject(s.iw), s.iw); err != nil {
		t.Fatal(err)
	}
	return tries{set.CoreV1().RESTClient()}
}

func (x tries) create(t *testing.T, namespace string, pod []byte) ([]byte, error) {
	return x.rest.Post().Namespace(namespace).Resource("pods").Param("dryRun", "All").Param("fieldValidation", "Ignore").
		SetHeader("Content-Type", "application/json").Body(pod).DoRaw(t.Context())
}

func (s *stage) try(t *testing.T, x tries, pod object, count *tally) {
	raw, err := json.Marshal(pod)
	if err != nil {
		t.Error(err)
		return
	}
	count.tried.Add(1)
	s.tryRaw(t, raw, count)
	without, before := x.create(t, plain, raw)
	with, after := x.create(t, asked, raw)
	if (before == nil) != (after == nil) {
		count.refused.Add(1)
		t.Errorf("without the webhook: %v, with it: %v\n%s\n%s", before, after, raw, with)
		return
	}
	if before != nil {
		return
	}
	count.valid.Add(1)
	if bytes.Contains(with, []byte(`"odi.dev/agents":"`)) && bytes.Contains(with, []byte("ODI_POD_UID")) {
		count.injected.Add(1)
	}
	s.judge(t, without, with, count)
}

// tryRaw injects into the bytes as they are, with fields that no API server knows yet.
func (s *stage) tryRaw(t *testing.T, raw []byte, count *tally) {
	d := instrumentor.DecisionOf(s.iw)
	d.Endpoint = instrumentor.EndpointIn("odi-system", "10.0.0.1")
	result, err := instrumentor.Inject(raw, d)
	if err != nil {
		return // The API server says the same.
	}
	after, err := instrumentor.Apply(raw, result.Patch)
	if err != nil {
		t.Errorf("the patch does not apply: %v\n%s", err, raw)
		return
	}
	second, err := instrumentor.Inject(after, d)
	if err != nil || len(second.Patch) > 0 {
		count.again.Add(1)
		t.Errorf("the second time: %v, %v\n%s", second.Patch, err, raw)
	}
	s.judge(t, raw, after, count)
}

func (s *stage) judge(t *testing.T, without, with []byte, count *tally) {
	var before, after object
	if err := json.Unmarshal(without, &before); err != nil {
		t.Error(err)
	}
	if err := json.Unmarshal(with, &after); err != nil {
		t.Error(err)
	}
	if found := undocumented(before, after); len(found) > 0 {
		count.undocumented.Add(1)
		t.Errorf("changes that no document has: %v\n%s\n%s", found, without, with)
	}
}

// realistic are what people run, each plain, hardened, with all limits, and with a proxy beside it.
func realistic(owner any) []object {
	kinds := []struct {
		name, image string
		env         []any
		command     []any
	}{
		{"app", "shop/spring-boot:3.4", vars("JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=75", "SPRING_PROFILES_ACTIVE", "prod"), nil},
		{"app", "tomcat:10", vars("CATALINA_OPTS", "-Xmx512m", "JAVA_OPTS", "-Dfile.encoding=UTF-8"), nil},
		{"app", "quay.io/keycloak/keycloak:26", vars("KC_DB", "postgres", "JAVA_OPTS_APPEND", "-Xss1m"), []any{"/opt/keycloak/bin/kc.sh", "start"}},
		{"app", "apache/kafka:4.0.0", vars("KAFKA_HEAP_OPTS", "-Xmx1g", "KAFKA_OPTS", "-javaagent:/opt/jmx.jar=7071:/etc/jmx.yml"), nil},
		{"app", "elasticsearch:9", vars("ES_JAVA_OPTS", "-Xms1g -Xmx1g", "discovery.type", "single-node"), nil},
		{"app", "jenkins/jenkins:lts", vars("JAVA_OPTS", "-Djenkins.install.runSetupWizard=false"), nil},
		{"app", "shop/quarkus:1", vars("JAVA_OPTS_APPEND", "-Dquarkus.http.host=0.0.0.0"), []any{"java", "-jar", "/deployments/quarkus-run.jar"}},
		{"app", "shop/dd:1", vars("JAVA_TOOL_OPTIONS", "-javaagent:/dd/dd-java-agent.jar", "DD_ENV", "prod"), nil},
		{"app", "shop/flink:2", vars("FLINK_ENV_JAVA_OPTS", "$(JAVA_TOOL_OPTIONS) -Dx=y", "JAVA_TOOL_OPTIONS", "-Xmx2g"), nil},
		{"app", "zookeeper:3.9", vars("JVMFLAGS", "-Xmx1g"), nil},
		{"worker", "shop/django:1", vars("DJANGO_SETTINGS_MODULE", "shop.settings", "PYTHONPATH", "/app"), []any{"gunicorn", "shop.wsgi", "-w", "4"}},
		{"worker", "shop/flask:1", vars("FLASK_APP", "app.py", "PYTHONUNBUFFERED", "1"), []any{"flask", "run"}},
		{"worker", "shop/fastapi:1", nil, []any{"uvicorn", "app:app", "--workers", "2"}},
		{"worker", "shop/celery:1", vars("PYTHONPATH", "/app:/shared/lib"), []any{"celery", "-A", "shop", "worker"}},
		{"worker", "apache/airflow:3", vars("AIRFLOW__CORE__EXECUTOR", "KubernetesExecutor", "PYTHONPATH", "/opt/airflow"), nil},
		{"worker", "jupyter/scipy:latest", vars("JUPYTER_ENABLE_LAB", "yes"), nil},
		{"worker", "shop/path:1", vars("PYTHONPATH", "$(HOME)/lib"), []any{"sh", "-c", "export PYTHONPATH=$PYTHONPATH:/x && python app.py"}},
		{"web", "shop/express:1", vars("NODE_ENV", "production", "NODE_OPTIONS", "--max-old-space-size=384"), []any{"npm", "start"}},
		{"web", "shop/next:15", vars("NEXT_TELEMETRY_DISABLED", "1", "HOSTNAME", "0.0.0.0"), []any{"node", "server.js"}},
		{"web", "shop/nest:1", vars("NODE_OPTIONS", "--enable-source-maps --import ./instrument.mjs"), []any{"node", "dist/main"}},
		{"web", "n8nio/n8n:latest", vars("N8N_PORT", "5678"), nil},
		{"web", "ghost:5", vars("url", "https://blog.example.test", "database__client", "mysql"), nil},
		{"web", "shop/pm2:1", vars("PM2_PUBLIC_KEY", "x"), []any{"pm2-runtime", "ecosystem.config.js"}},
		{"api", "mcr.microsoft.com/dotnet/samples:aspnetapp", vars("ASPNETCORE_URLS", "http://+:8080", "DOTNET_gcServer", "1"), nil},
		{"api", "shop/otel-dotnet:1", vars("CORECLR_ENABLE_PROFILING", "1", "CORECLR_PROFILER", "{918728DD-259F-4A6A-AC2B-B85E1B658318}"), nil},
		{"other", "grafana/grafana:12.0.0", vars("GF_SERVER_ROOT_URL", "%(protocol)s://%(domain)s/"), nil},
	}
	var out []object
	for i, k := range kinds {
		for variant := range 4 {
			c := object{"name": k.name, "image": k.image, "ports": []any{object{"containerPort": 8080}}}
			if k.env != nil {
				c["env"] = k.env
			}
			if k.command != nil {
				c["command"] = k.command
			}
			out = append(out, dressed(fmt.Sprintf("real-%d-%d", i, variant), variant, c, owner))
		}
	}
	return out
}

func vars(pairs ...string) []any {
	var out []any
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, object{"name": pairs[i], "value": pairs[i+1]})
	}
	return out
}

// dressed is a container as a chart of one of four tastes deploys it.
func dressed(name string, variant int, c object, owner any) object {
	spec := object{"containers": []any{c}}
	switch variant {
	case 1:
		spec["securityContext"] = object{"runAsNonRoot": true, "runAsUser": 10001, "fsGroup": 10001, "seccompProfile": object{"type": "RuntimeDefault"}}
		c["securityContext"] = object{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": object{"drop": []any{"ALL"}}}
		c["volumeMounts"] = []any{object{"name": "tmp", "mountPath": "/tmp"}}
		spec["volumes"] = []any{object{"name": "tmp", "emptyDir": object{"medium": "Memory"}}}
	case 2:
		c["resources"] = object{"requests": object{"cpu": "1", "memory": "1Gi"}, "limits": object{"cpu": "1", "memory": "1Gi"}}
		c["readinessProbe"] = object{"httpGet": object{"path": "/healthz", "port": 8080}, "timeoutSeconds": 2}
		c["envFrom"] = []any{object{"configMapRef": object{"name": "settings"}}}
	case 3:
		spec["initContainers"] = []any{
			object{"name": "istio-proxy", "image": "istio/proxyv2:1.27", "restartPolicy": "Always", "args": []any{"proxy", "sidecar"},
				"env":             []any{object{"name": "POD_NAME", "valueFrom": object{"fieldRef": object{"fieldPath": "metadata.name"}}}},
				"securityContext": object{"runAsUser": 1337, "runAsGroup": 1337}},
			object{"name": "wait-for-db", "image": "busybox", "command": []any{"sh", "-c", "until nc -z db 5432; do sleep 1; done"}},
		}
		spec["containers"] = []any{object{"name": "vault-agent", "image": "hashicorp/vault", "args": []any{"agent"}}, c}
	}
	return object{"apiVersion": "v1", "kind": "Pod", "metadata": object{"name": name, "ownerReferences": owner, "labels": object{"app": "cart"}}, "spec": spec}
}

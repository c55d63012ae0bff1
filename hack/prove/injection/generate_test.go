package injection

import (
	"fmt"
	"math/rand/v2"
)

// object is a JSON object.
type object = map[string]any

// generator makes pods of all groups of fields, most of them valid.
type generator struct {
	*rand.Rand
	volumes []string
}

func (g *generator) one(choices ...any) any { return choices[g.IntN(len(choices))] }

// maybe calls one of several functions, or none, each with a chance of one in n.
func (g *generator) maybe(n int, do func()) {
	if g.IntN(n) == 0 {
		do()
	}
}

// rarely is mostly the second value, since the first makes a pod that is refused.
func (g *generator) rarely(odd, usual any) any {
	if g.IntN(12) == 0 {
		return odd
	}
	return usual
}

// pod is one with an owner.
func (g *generator) pod(i int, owner any) object {
	g.volumes = nil
	spec := object{"restartPolicy": g.one("Always", "OnFailure", "Never"), "automountServiceAccountToken": false}
	meta := object{"name": fmt.Sprintf("p-%d", i), "ownerReferences": owner, "labels": object{"app": "cart"}}
	g.maybe(3, func() { meta["annotations"] = g.annotations() })
	g.maybe(2, func() { spec["volumes"] = g.volumesOf() })
	names := []string{"app", "web", "worker", "api", "other", "more"}
	g.Shuffle(len(names), func(a, b int) { names[a], names[b] = names[b], names[a] })
	var containers, inits []any
	for _, name := range names[:1+g.IntN(3)] {
		containers = append(containers, g.container(name))
	}
	g.maybe(3, func() {
		sidecar := g.container("sidecar")
		sidecar["restartPolicy"] = "Always"
		inits = append(inits, sidecar)
	})
	g.maybe(3, func() { inits = append(inits, g.container("migrate")) })
	spec["containers"] = containers
	if inits != nil {
		spec["initContainers"] = inits
	}
	g.scheduling(spec)
	g.security(spec)
	g.network(spec)
	g.maybe(20, func() { spec["inventedIn2030"] = object{"deep": []any{1, 2.5, nil, "x"}} })
	return object{"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
}

func (g *generator) annotations() any {
	return g.one(
		object{"odi.dev/inject": "false"}, object{"odi.dev/inject": "true"}, object{"x/y.z": "a/b"}, object{},
		object{"resource.opentelemetry.io/service.name": "basket $(HOME) $$ ü"}, object{"odi.dev/agents": "old=java@0"},
		object{"prometheus.io/scrape": "true", "sidecar.istio.io/inject": "true"},
	)
}

func (g *generator) volumesOf() []any {
	sources := []object{
		{"emptyDir": object{}}, {"emptyDir": object{"medium": "Memory", "sizeLimit": "64Mi"}}, {"configMap": object{"name": "c", "optional": true}},
		{"secret": object{"secretName": "s"}}, {"persistentVolumeClaim": object{"claimName": "p"}}, {"downwardAPI": object{"items": []any{
			object{"path": "labels", "fieldRef": object{"fieldPath": "metadata.labels"}}}}},
		{"hostPath": object{"path": "/var/log"}}, {"image": object{"reference": "a:1"}}, {"nfs": object{"server": "n", "path": "/x"}},
		{"projected": object{"sources": []any{object{"serviceAccountToken": object{"path": "t", "audience": "vault"}}}}}, {},
	}
	var out []any
	for i := range 1 + g.IntN(4) {
		name := fmt.Sprintf("v-%d", i)
		g.maybe(25, func() { name = "odi-nodejs-1-0-0-odi-1" })
		v := object{"name": name}
		for key, value := range sources[g.IntN(len(sources))] {
			v[key] = value
		}
		out = append(out, v)
		g.volumes = append(g.volumes, name)
	}
	return out
}

func (g *generator) container(name string) object {
	c := object{"name": name, "image": g.one("example.test/a:1", "a@sha256:0000000000000000000000000000000000000000000000000000000000000000", "b")}
	g.maybe(3, func() { c["imagePullPolicy"] = g.one("Always", "Never", "IfNotPresent") })
	g.maybe(4, func() {
		c["command"] = g.one([]any{"java", "-jar", "a.jar"}, []any{"sh", "-c", "exec java $JAVA_TOOL_OPTIONS -jar a"}, []any{})
	})
	g.maybe(4, func() { c["args"] = g.one([]any{"--x=$(NODE_OPTIONS)"}, []any{"$(A)", "$$(B)"}, []any{}) })
	g.maybe(2, func() { c["env"] = g.env() })
	g.maybe(4, func() {
		c["envFrom"] = []any{g.one(object{"configMapRef": object{"name": "c"}}, object{"secretRef": object{"name": "s"}, "prefix": "P_"})}
	})
	g.maybe(3, func() { c["ports"] = []any{object{"containerPort": 8080, "name": "http"}} })
	g.maybe(2, func() { c["resources"] = g.resources() })
	g.maybe(3, func() { c["securityContext"] = g.securityContext() })
	g.maybe(2, func() { c["volumeMounts"] = g.mounts() })
	g.maybe(5, func() { c["workingDir"] = "/srv" })
	g.maybe(6, func() { c["tty"], c["stdin"] = true, true })
	g.maybe(6, func() { c["terminationMessagePolicy"] = "FallbackToLogsOnError" })
	if name != "migrate" {
		g.maybe(3, func() { c["livenessProbe"] = object{"httpGet": object{"path": "/", "port": 8080}} })
		g.maybe(4, func() { c["startupProbe"] = object{"tcpSocket": object{"port": 8080}, "failureThreshold": 30} })
		g.maybe(5, func() { c["lifecycle"] = object{"preStop": object{"exec": object{"command": []any{"sleep", "1"}}}} })
	}
	g.maybe(30, func() { c["inventedLater"] = object{"a": nil} })
	return c
}

func (g *generator) env() []any {
	names := []any{
		"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "NODE_OPTIONS", "PYTHONPATH", "DOTNET_STARTUP_HOOKS", "CORECLR_PROFILER", "OTEL_SERVICE_NAME",
		"OTEL_RESOURCE_ATTRIBUTES", "OTEL_PROPAGATORS", "OTEL_EXPORTER_OTLP_ENDPOINT", "ODI_AGENT", "ODI_POD_NAME", "A", "B", "HOME", "my.odd-name", "A", "C", "D",
	}
	var out []any
	for range g.IntN(7) {
		e := object{"name": g.one(names...)}
		switch g.IntN(9) {
		case 0:
			e["valueFrom"] = object{"secretKeyRef": object{"name": "s", "key": "k"}}
		case 1:
			e["valueFrom"] = object{"configMapKeyRef": object{"name": "c", "key": "k", "optional": true}}
		case 2:
			e["valueFrom"] = object{"fieldRef": object{"fieldPath": g.one("status.podIP", "metadata.labels['app']", "spec.nodeName")}}
		case 3:
			e["valueFrom"] = object{"resourceFieldRef": object{"resource": "limits.memory", "divisor": "1Mi"}}
		case 4: // Neither value nor valueFrom.
		default:
			e["value"] = g.one("", "-Xmx1g", "$(A) x", "$(NODE_OPTIONS)", "$$", "a $(", "/app:/lib", "service.name=x,y=z", "{918728DD-259F-4A6A-AC2B-B85E1B658318}",
				"\"quoted\" \\ \n ü \t", "-javaagent:/odi/java/1.0.0-odi.1/agent/opentelemetry-javaagent.jar")
		}
		g.maybe(30, func() { e["inventedLater"] = true })
		out = append(out, e)
	}
	return out
}

func (g *generator) resources() any {
	return g.one(
		object{}, object{"requests": object{"cpu": "100m"}}, object{"limits": object{"memory": "256Mi"}},
		object{"requests": object{"cpu": "0.5", "memory": "1Gi"}, "limits": object{"cpu": "500m", "memory": "1Gi"}},
		object{"limits": object{"example.test/gpu": "1", "cpu": 2}}, object{"limits": object{"ephemeral-storage": "64Mi"}},
		object{"limits": object{"ephemeral-storage": "4Gi", "memory": "128974848"}}, object{"requests": object{"cpu": g.rarely("2", "1")}, "limits": object{"cpu": "1"}},
	)
}

func (g *generator) securityContext() any {
	return g.one(
		object{"runAsUser": 1000, "runAsNonRoot": true}, object{"runAsUser": 0}, object{"privileged": true}, object{"readOnlyRootFilesystem": true},
		object{"capabilities": object{"drop": []any{"ALL"}, "add": []any{"NET_BIND_SERVICE"}}, "allowPrivilegeEscalation": false},
		object{"seccompProfile": object{"type": "Unconfined"}}, object{"seLinuxOptions": object{"level": "s0:c1,c2"}}, object{},
	)
}

func (g *generator) mounts() []any {
	var out []any
	for i, name := range g.volumes {
		paths := []any{fmt.Sprintf("/m/%d", i), fmt.Sprintf("/data%d/", i)}
		if i < 2 { // A path is mounted once.
			paths = append(paths, []string{"/odi", "/odi/nodejs/1.0.0-odi.1/x"}[i])
		}
		out = append(out, object{"name": name, "mountPath": g.one(paths...), "readOnly": g.one(true, false)})
	}
	g.maybe(40, func() { out = append(out, object{"name": "not-there", "mountPath": "/x"}) })
	return out
}

func (g *generator) scheduling(spec object) {
	g.maybe(4, func() {
		spec["nodeSelector"] = g.one(object{"disk": "ssd"}, object{"kubernetes.io/os": "windows"}, object{"kubernetes.io/os": "linux"})
	})
	g.maybe(5, func() { spec["tolerations"] = []any{object{"operator": "Exists"}} })
	g.maybe(6, func() {
		spec["topologySpreadConstraints"] = []any{object{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway",
			"labelSelector": object{"matchLabels": object{"app": "cart"}}}}
	})
	g.maybe(8, func() { spec["schedulingGates"] = []any{object{"name": "example.test/wait"}} })
	g.maybe(8, func() { spec["terminationGracePeriodSeconds"] = g.IntN(90) })
	g.maybe(9, func() { spec["activeDeadlineSeconds"] = 1 + g.IntN(90) })
	g.maybe(9, func() { spec["priority"] = 0 })
	g.maybe(9, func() { spec["readinessGates"] = []any{object{"conditionType": "example.test/ready"}} })
	g.maybe(9, func() { spec["imagePullSecrets"] = []any{object{"name": "registry"}} })
	g.maybe(12, func() { spec["resources"] = object{"requests": object{"cpu": "4", "memory": "8Gi"}} })
	g.maybe(100, func() { spec["overhead"] = object{"cpu": "1"} })
}

func (g *generator) security(spec object) {
	g.maybe(3, func() {
		spec["securityContext"] = g.one(
			object{"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 2000, "supplementalGroups": []any{1, 2}}, object{"runAsNonRoot": true},
			object{"runAsUser": 0}, object{"sysctls": []any{object{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}}},
			object{"seccompProfile": object{"type": "RuntimeDefault"}}, object{"appArmorProfile": object{"type": "RuntimeDefault"}},
			object{"windowsOptions": object{"runAsUserName": "ContainerUser"}}, object{},
		)
	})
	g.maybe(10, func() {
		spec["os"] = object{"name": g.one("linux", "windows")}
	})
	g.maybe(8, func() { spec["shareProcessNamespace"] = true })
	g.maybe(12, func() { spec["hostUsers"] = g.one(true, false) })
	g.maybe(15, func() { spec["hostPID"] = true })
}

func (g *generator) network(spec object) {
	g.maybe(6, func() { spec["hostNetwork"] = true })
	g.maybe(3, func() { spec["dnsPolicy"] = g.one("ClusterFirst", "Default", "ClusterFirstWithHostNet") })
	g.maybe(6, func() {
		spec["dnsConfig"] = object{"options": []any{object{"name": "ndots", "value": g.one("1", "2", "5")}}}
	})
	g.maybe(9, func() { spec["hostAliases"] = []any{object{"ip": "10.0.0.1", "hostnames": []any{"db"}}} })
	g.maybe(9, func() { spec["hostname"], spec["subdomain"] = "h", "s" })
	g.maybe(9, func() { spec["enableServiceLinks"] = false })
}

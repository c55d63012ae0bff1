package instrumentor

import (
	"slices"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/languages/language"
)

// Names of the variables that are odi's own.
const (
	envAgent     = "ODI_AGENT"
	envPodName   = "ODI_POD_NAME"
	envPodUID    = "ODI_POD_UID"
	envNamespace = "ODI_POD_NAMESPACE"
	envNode      = "ODI_NODE_NAME"

	envServiceName = "OTEL_SERVICE_NAME"
	envResource    = "OTEL_RESOURCE_ATTRIBUTES"
	envSampler     = "OTEL_TRACES_SAMPLER"
)

// fields are the variables that the node fills, which stand in front of all others, since one refers only to
// those before it.
var fields = [][2]string{
	{envPodName, "metadata.name"}, {envPodUID, "metadata.uid"}, {envNamespace, "metadata.namespace"}, {envNode, "spec.nodeName"},
}

// environmentOf returns what changes in the environment of a container.
func (in *injection) environmentOf(c Container, p place, l *language.Language, env []language.Variable) ([]Operation, *Skip) {
	for _, field := range fields {
		if slices.ContainsFunc(env, func(e language.Variable) bool { return e.Name == field[0] }) {
			return nil, &Skip{Reason: SkipNameTaken, Message: "It has a variable " + field[0] + ", which odi needs itself."}
		}
	}
	li := language.Injection{
		Root:    language.Root(l.Name, language.Release{Version: c.Agent.Version}),
		Version: c.Runtime.Version, Libc: language.Libc(c.Runtime.Libc),
		Env: env, Hidden: c.Environment, Words: p.words(),
	}
	edits := []language.Edit{{Name: envAgent, Value: c.Agent.Language + "@" + c.Agent.Version}}
	loads, objection := l.Inject(li)
	if objection != nil {
		return nil, &Skip{Reason: objection.Reason, Message: objection.Message}
	}
	shared, skip := in.shared(c.Name, l, li)
	if skip != nil {
		return nil, skip
	}
	return operations(p, slices.Concat(edits, loads, shared)), nil
}

// shared are the settings that all agents understand.
func (in *injection) shared(container string, l *language.Language, li language.Injection) ([]language.Edit, *Skip) {
	url := in.decision.Endpoint.url(in.resolvesServices())
	if url == "" && !li.Own("OTEL_EXPORTER_OTLP_ENDPOINT") {
		return nil, &Skip{Reason: SkipNoAddress, Message: "Names of Services do not resolve in the pod, and the address of odi's is not known."}
	}
	var edits []language.Edit
	edits = append(edits, li.Default("OTEL_EXPORTER_OTLP_ENDPOINT", url)...)
	own, visible := li.Lookup(envResource)
	visible = visible && !own.Elsewhere
	switch {
	case li.Own(envServiceName) || visible && hasKey(own.Value, telemetry.ServiceName):
	case li.Own(envResource) && !visible:
		return nil, &Skip{Reason: SkipNameUnknown, Message: envResource + " comes from elsewhere, so that odi cannot see whether it names " +
			"the service; set " + envServiceName + " in the pod template."}
	default:
		edits = append(edits, li.Default(envServiceName, strings.ReplaceAll(in.serviceName(), "$", "$$"))...)
	}
	// A user's own attributes stay behind ours: of two of a key the last counts. One that is not seen, or that
	// something else uses, stays alone: the node's collector knows the pod as well.
	if more, objection := li.Prepend(envResource, in.attributes(container), ","); objection == nil {
		edits = append(edits, more...)
	}
	edits = append(edits, li.Default("OTEL_PROPAGATORS", "tracecontext,baggage")...)
	edits = append(edits, li.Default("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")...)
	edits = append(edits, in.sampling(li)...)
	edits = append(edits, li.Default("OTEL_TRACES_EXPORTER", in.exporter(odiv1.SignalTraces))...)
	edits = append(edits, li.Default("OTEL_METRICS_EXPORTER", in.exporter(odiv1.SignalMetrics))...)
	return append(edits, li.Default("OTEL_LOGS_EXPORTER", in.logs(l))...), nil
}

// sampling is none where every trace is recorded, or the user has a rule of his own.
func (in *injection) sampling(li language.Injection) []language.Edit {
	if in.decision.Sampling == "" || li.Own(envSampler) {
		return nil
	}
	return append(li.Default(envSampler, "parentbased_traceidratio"), li.Default(envSampler+"_ARG", in.decision.Sampling)...)
}

// logs are sent only where they are asked for by name: most applications' logs are read elsewhere already.
func (in *injection) logs(l *language.Language) string {
	if l.SendsLogs && slices.Contains(in.decision.Signals, odiv1.SignalLogs) {
		return "otlp"
	}
	return "none"
}

// exporter is that of a signal: none where the user does not want it.
func (in *injection) exporter(signal odiv1.Signal) string {
	if len(in.decision.Signals) == 0 || slices.Contains(in.decision.Signals, signal) {
		return "otlp"
	}
	return "none"
}

func (in *injection) serviceName() string {
	if name := in.pod.Annotations[odiv1.AnnotationServiceName]; name != "" {
		return name
	}
	return in.decision.Workload.Name
}

// attributes say which container of which pod it is. Values are names of Kubernetes objects, which need no escape.
func (in *injection) attributes(container string) string {
	value := func(name string) string { return "$(" + name + ")" }
	list := []string{
		telemetry.K8sNamespaceName + "=" + value(envNamespace),
		telemetry.K8sPodName + "=" + value(envPodName),
		telemetry.K8sPodUID + "=" + value(envPodUID),
		telemetry.K8sNodeName + "=" + value(envNode),
		telemetry.K8sContainerName + "=" + container,
	}
	if key := telemetry.WorkloadNameKey(string(in.decision.Workload.Kind)); key != "" {
		list = append(list, key+"="+in.decision.Workload.Name)
	}
	return strings.Join(append(list,
		telemetry.ServiceNamespace+"="+value(envNamespace),
		telemetry.ServiceInstanceID+"="+value(envNamespace)+"."+value(envPodName)+"."+container,
	), ",")
}

// hasKey says whether a list of attributes has one of a key.
func hasKey(attributes, key string) bool {
	for pair := range strings.SplitSeq(attributes, ",") {
		name, value, _ := strings.Cut(pair, "=")
		if strings.TrimSpace(name) == key && strings.TrimSpace(value) != "" {
			return true
		}
	}
	return false
}

// operations give a container's environment its edits: values in their place, new ones behind, fields in front.
func operations(p place, edits []language.Edit) []Operation {
	entry := func(e language.Edit) map[string]any { return map[string]any{"name": e.Name, "value": e.Value} }
	front := make([]map[string]any, len(fields))
	for i, f := range fields {
		front[i] = map[string]any{"name": f[0], "valueFrom": map[string]any{"fieldRef": map[string]any{"apiVersion": "v1", "fieldPath": f[1]}}}
	}
	if len(p.typed.Env) == 0 {
		for _, e := range edits {
			front = append(front, entry(e))
		}
		return []Operation{add(front, "spec", p.list, p.index, "env")}
	}
	var out []Operation
	for _, e := range edits {
		at := -1
		for i, have := range p.typed.Env {
			if have.Name == e.Name {
				at = i
			}
		}
		switch {
		case at < 0:
			out = append(out, add(entry(e), "spec", p.list, p.index, "env", "-"))
		case p.raw.Env[at]["value"] != nil:
			out = append(out, replace(e.Value, "spec", p.list, p.index, "env", at, "value"))
		default:
			out = append(out, add(e.Value, "spec", p.list, p.index, "env", at, "value"))
		}
	}
	for _, f := range slices.Backward(front) {
		out = append(out, add(f, "spec", p.list, p.index, "env", 0))
	}
	return out
}

package redact

import (
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Object returns a copy of a Kubernetes object without secrets. Of Secrets the names and sizes
// of values are left, of ConfigMaps of others the names, of annotations those that odi, Helm and
// Kubernetes write.
func (r Redactor) Object(object map[string]any) map[string]any {
	kind, _ := object["kind"].(string)
	out := map[string]any{}
	for key, value := range object {
		switch {
		case kind == "Secret" && (key == "data" || key == "stringData"):
			out[key] = hideAll(value)
		case kind == "ConfigMap" && (key == "data" || key == "binaryData"):
			out[key] = r.configMap(object, value)
		case kind == "Destination" && key == "spec":
			out[key] = r.destination(value)
		default:
			out[key] = r.value(key, value)
		}
	}
	return out
}

// Config takes secrets out of YAML that is no object of Kubernetes: values of the chart, configurations of
// collectors. Where it is no YAML it is text.
func (r Redactor) Config(text string) string {
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		return r.Text(text)
	}
	if _, isText := value.(string); isText || value == nil {
		return r.Text(text)
	}
	out, err := yaml.Marshal(r.value("", value))
	if err != nil {
		return Hidden
	}
	return string(out)
}

// sensitive are keys below which nothing is shown.
var sensitive = regexp.MustCompile(`(?i)` + word + `$|^headers?$|^stringdata$`)

// references name objects or say how; they hold no secrets themselves, only their parts may.
var references = []string{
	"secret", "secretRef", "secretKeyRef", "secretName", "secrets", "imagePullSecrets", "pullSecret", "serviceAccountToken",
	"automountServiceAccountToken", "tokenRequests", "usable-by", "authenticator", "fsGroupChangePolicy",
}

func (r Redactor) value(key string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		return r.mapping(key, v)
	case []any:
		return r.list(key, v)
	case string:
		if hides(key) {
			return Hidden
		}
		return r.Text(v)
	}
	return value
}

func hides(key string) bool { return sensitive.MatchString(key) && !slices.Contains(references, key) }

func (r Redactor) mapping(key string, m map[string]any) any {
	if hides(key) {
		return hideAll(m)
	}
	if key == "annotations" {
		return r.annotations(m)
	}
	out := map[string]any{}
	for name, value := range m {
		if name != "managedFields" { // they name every field, and help nobody
			out[r.Known(name)] = r.value(name, value)
		}
	}
	return out
}

func (r Redactor) list(key string, list []any) any {
	out := make([]any, 0, len(list))
	hide := hides(key)
	for _, item := range list {
		switch v := item.(type) {
		case map[string]any:
			out = append(out, r.entry(key, v, hide))
		case string:
			if hide {
				v = Hidden
			}
			out = append(out, r.Text(v))
		default:
			out = append(out, r.value(key, item))
		}
	}
	return out
}

// entry is one map in a list. Variables of an environment, and pairs like them, lose their value unless odi set it.
func (r Redactor) entry(key string, m map[string]any, hide bool) any {
	if hide {
		return hideAll(m)
	}
	out, _ := r.mapping("", m).(map[string]any)
	name, named := m["name"].(string)
	if named && strings.HasPrefix(strings.ToLower(key), "env") {
		if _, has := m["value"]; has && !slices.Contains(ownVariables, name) {
			out["value"] = Hidden
		}
	}
	if named && hides(name) {
		if _, has := m["value"]; has {
			out["value"] = Hidden
		}
	}
	return out
}

// ownVariables are those of odi's containers that the chart sets.
var ownVariables = []string{
	"NODE_NAME", "POD_NAMESPACE", "POD_NAME", "GOMEMLIMIT", "ODI_CLUSTER_NAME", "ODI_ENVIRONMENT", "ODI_NODE_ADDRESS", "ODI_ALLOW_ADDRESSES",
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
}

// ownAnnotations begin those whose values are shown; of others the names are.
var ownAnnotations = []string{
	"odi.dev/", "meta.helm.sh/", "helm.sh/", "app.kubernetes.io/", "deployment.kubernetes.io/", "deprecated.daemonset.template.generation",
	"kubectl.kubernetes.io/restartedAt", "kubectl.kubernetes.io/default-container", "resource.opentelemetry.io/", "api-approved.kubernetes.io",
	"controller-gen.kubebuilder.io/", "kubernetes.io/description",
}

func (r Redactor) annotations(m map[string]any) any {
	out := map[string]any{}
	for name, value := range m {
		text, _ := value.(string)
		out[name] = Hidden
		if slices.ContainsFunc(ownAnnotations, func(own string) bool { return strings.HasPrefix(name, own) }) {
			out[name] = r.Text(text)
		}
	}
	return out
}

// plainFields of a Destination say where and how, and are shown as far as their text is no secret.
var plainFields = []string{"endpoint", "region", "site", "dataset", "compression", "insecure", "protocol", "encoding", "path", "tls", "timeout"}

// destination shows of its fields those alone that can hold no secret, unless somebody put one into an address.
func (r Redactor) destination(spec any) any {
	m, ok := spec.(map[string]any)
	if !ok {
		return Hidden
	}
	out := map[string]any{}
	for key, value := range m {
		if key != "config" {
			out[key] = r.value(key, value)
			continue
		}
		fields, _ := value.(map[string]any)
		shown := map[string]any{}
		for name, field := range fields {
			text, _ := field.(string)
			shown[name] = Hidden
			if slices.Contains(plainFields, name) {
				shown[name] = r.Text(text)
			}
		}
		out[key] = shown
	}
	return out
}

// configMap shows the configurations of odi's own collectors, and of others the names.
func (r Redactor) configMap(object map[string]any, value any) any {
	data, ok := value.(map[string]any)
	meta, _ := object["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	if !ok || !strings.HasPrefix(name, "odi-") {
		return hideAll(value)
	}
	out := map[string]any{}
	for file, content := range data {
		text, _ := content.(string)
		out[file] = r.Config(text)
	}
	return out
}

// hideAll keeps the shape and hides every value.
func hideAll(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, inner := range v {
			out[key] = hideAll(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = hideAll(inner)
		}
		return out
	case nil:
		return nil
	}
	return Hidden
}

package injection

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// What docs/agents.md says that changes: names of variables that come, those that grow, volumes and containers.
var (
	comes = regexp.MustCompile(`^(ODI_(AGENT|POD_NAME|POD_UID|POD_NAMESPACE|NODE_NAME)|OTEL_(EXPORTER_OTLP_ENDPOINT|EXPORTER_OTLP_PROTOCOL|SERVICE_NAME|RESOURCE_ATTRIBUTES|PROPAGATORS|` +
		`SEMCONV_STABILITY_OPT_IN|TRACES_EXPORTER|METRICS_EXPORTER|LOGS_EXPORTER|JAVA_DISABLED_RESOURCE_PROVIDERS|NODE_RESOURCE_DETECTORS|DOTNET_AUTO_HOME)|` +
		`JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|NODE_OPTIONS|PYTHONPATH|CORECLR_(ENABLE_PROFILING|PROFILER|PROFILER_PATH_64|PROFILER_PATH_ARM64)|` +
		`DOTNET_(STARTUP_HOOKS|ADDITIONAL_DEPS|SHARED_STORE))$`)
	grows = regexp.MustCompile(`^(JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|NODE_OPTIONS|PYTHONPATH|OTEL_RESOURCE_ATTRIBUTES|DOTNET_(STARTUP_HOOKS|ADDITIONAL_DEPS|SHARED_STORE))$`)
	ours  = regexp.MustCompile(`^odi-(java|nodejs|python|dotnet)-1-0-0-odi-1$`)
)

// undocumented lists what differs between a pod without and with agents and is in no document.
func undocumented(before, after object) []string {
	o := &oracle{}
	o.lists(before, after)
	o.metadata(before, after)
	o.compare("", before, after)
	return o.found
}

type oracle struct{ found []string }

func (o *oracle) metadata(before, after object) {
	for _, pod := range []object{before, after} {
		meta, _ := pod["metadata"].(object)
		for _, key := range []string{"namespace", "uid", "creationTimestamp", "managedFields"} {
			delete(meta, key)
		}
		untimed(pod)
		annotations, _ := meta["annotations"].(object)
		delete(annotations, "odi.dev/agents")
		if len(annotations) == 0 {
			delete(meta, "annotations")
		}
	}
}

// untimed drops when the API server wrote a condition: the second pod is made later than the first.
func untimed(pod object) {
	status, _ := pod["status"].(object)
	conditions, _ := status["conditions"].([]any)
	for _, c := range conditions {
		if c, ok := c.(object); ok {
			delete(c, "lastTransitionTime")
		}
	}
}

// lists takes what was added out of the lists of a pod.
func (o *oracle) lists(before, after object) {
	was, _ := before["spec"].(object)
	is, _ := after["spec"].(object)
	for _, key := range []string{"volumes", "initContainers"} {
		is[key] = o.without(was[key], is[key])
		tidy(was, key)
		tidy(is, key)
	}
	for _, key := range []string{"containers", "initContainers"} {
		old, _ := was[key].([]any)
		now, _ := is[key].([]any)
		for i := range min(len(old), len(now)) {
			o.container(old[i].(object), now[i].(object))
		}
	}
}

// without leaves out the elements by our names that were not there before.
func (o *oracle) without(before, after any) any {
	list, ok := after.([]any)
	if !ok {
		return after
	}
	old, _ := before.([]any)
	return slices.DeleteFunc(slices.Clone(list), func(e any) bool {
		name, _ := e.(object)["name"].(string)
		return ours.MatchString(name) && !slices.ContainsFunc(old, func(b any) bool { return b.(object)["name"] == name })
	})
}

func (o *oracle) container(before, after object) {
	after["volumeMounts"] = o.without(before["volumeMounts"], after["volumeMounts"])
	for _, key := range []string{"volumeMounts", "env"} {
		tidy(before, key)
		tidy(after, key)
	}
	old, _ := before["env"].([]any)
	now, _ := after["env"].([]any)
	if len(now) == len(old) {
		return // Compared as a whole.
	}
	var kept []any
	at := 0
	for _, e := range now {
		entry := e.(object)
		name, _ := entry["name"].(string)
		if at < len(old) && old[at].(object)["name"] == name && o.same(old[at].(object), entry, name) {
			kept = append(kept, old[at])
			at++
			continue
		}
		if !comes.MatchString(name) {
			o.found = append(o.found, fmt.Sprintf("variable %v", entry))
		}
		if value, _ := entry["value"].(string); strings.Contains(odd.ReplaceAllString(value, ""), "$(") && !strings.HasPrefix(name, "OTEL_SERVICE_NAME") {
			o.found = append(o.found, "a reference to what is not ours: "+value)
		}
	}
	after["env"] = kept
	tidy(after, "env")
}

// tidy leaves out a list without elements: none and an empty one are the same in a pod.
func tidy(o object, key string) {
	if list, isList := o[key].([]any); o[key] == nil || isList && len(list) == 0 {
		delete(o, key)
	}
}

// odd are the references that odi writes.
var odd = regexp.MustCompile(`\$\(ODI_[A-Z_]+\)`)

// same says whether an entry is the old one, grown or not. The user's part stays whole, at one end.
func (o *oracle) same(old, now object, name string) bool {
	if reflect.DeepEqual(old, now) {
		return true
	}
	was, _ := old["value"].(string)
	is, _ := now["value"].(string)
	return grows.MatchString(name) && old["valueFrom"] == nil && now["valueFrom"] == nil &&
		(strings.HasPrefix(is, was) || strings.HasSuffix(is, was)) && strings.Contains(strings.ToLower(is), "odi")
}

func (o *oracle) compare(path string, before, after any) {
	if reflect.DeepEqual(before, after) {
		return
	}
	old, isList := before.([]any)
	now, stillList := after.([]any)
	if isList && stillList && len(old) == len(now) {
		for i := range old {
			o.compare(fmt.Sprintf("%s/%d", path, i), old[i], now[i])
		}
		return
	}
	was, isObject := before.(object)
	is, stillObject := after.(object)
	if !isObject || !stillObject {
		o.found = append(o.found, fmt.Sprintf("%s: %v became %v", path, before, after))
		return
	}
	for key := range was {
		o.compare(path+"/"+key, was[key], is[key])
	}
	for key := range is {
		if _, known := was[key]; !known {
			o.found = append(o.found, fmt.Sprintf("%s/%s came: %v", path, key, is[key]))
		}
	}
}

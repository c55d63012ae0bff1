package agentsprocessor

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/odi-dev/odi/collector/components/agentsextension"
)

const (
	podUID        = "k8s.pod.uid"
	containerName = "k8s.container.name"
	// hops keeps circles from turning for ever; a false one only harms its sender.
	hops = "odi.hops"
)

// foreign begin the keys in which nobody is believed.
var foreign = []string{"k8s.", "container.", "host.", "odi.", "cloud."}

// exceptions are facts about a machine that tell nothing of whose data it is.
var exceptions = map[string]bool{hops: true, "host.arch": true}

// claim is what a sender says of itself; empty where it is no text.
func claim(attributes pcommon.Map, key string) string {
	value, ok := attributes.Get(key)
	if !ok || value.Type() != pcommon.ValueTypeStr {
		return ""
	}
	return value.Str()
}

// stamp writes an identity over what was sent.
func stamp(attributes pcommon.Map, as agentsextension.Identity) {
	attributes.RemoveIf(func(key string, _ pcommon.Value) bool {
		if exceptions[key] {
			return false
		}
		for _, prefix := range foreign {
			if strings.HasPrefix(key, prefix) {
				return true
			}
		}
		return key == "service.instance.id" || key == "service.namespace"
	})
	for key, value := range as.Attributes {
		attributes.PutStr(key, value)
	}
	for key, values := range as.Lists {
		list := attributes.PutEmptySlice(key)
		for _, v := range values {
			list.AppendEmpty().SetStr(v)
		}
	}
}

package entryconnector

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	// hopsAttribute of a resource names the gateways that its data went through.
	hopsAttribute = "odi.hops"
	// mostHops end circles of gateways that do not know their own names.
	mostHops = 8
	// longestHops is more than as many names take. Who sends more made it up.
	longestHops = 512
)

// verdict is what is to be done with a resource.
type verdict string

const (
	welcome  verdict = ""
	returned verdict = "returned"
	tooFar   verdict = "too_far"
)

// pass adds the gateway to the way of a resource that is let in.
func (e *entry) pass(attributes pcommon.Map) verdict {
	value, found := attributes.Get(hopsAttribute)
	if !found || value.Type() != pcommon.ValueTypeStr || value.Str() == "" || len(value.Str()) > longestHops {
		attributes.PutStr(hopsAttribute, e.name)
		return welcome
	}
	hops := strings.Split(value.Str(), ",")
	switch {
	case slices.Contains(hops, e.name):
		return returned
	case len(hops) >= mostHops:
		return tooFar
	}
	value.SetStr(value.Str() + "," + e.name)
	return welcome
}

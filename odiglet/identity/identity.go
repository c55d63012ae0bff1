package identity

import (
	"cmp"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/internal/version"
)

// Service is who a process is part of, without the process itself: all
// processes of a container are one service instance.
type Service struct {
	Name      string
	Namespace string
	Version   string
	// InstanceID tells the instances of a service apart.
	InstanceID string
	// Language is telemetry.sdk.language; empty while unknown.
	Language string
	// Attributes are further ones, in the order in which they are written.
	Attributes []Attribute
	// Party is how others know it.
	Party Party
	// SharesHost says that it is in the network of the machine: its loopback is that of others, too.
	SharesHost bool
}

// Attribute is one resource attribute.
type Attribute struct {
	Key   string
	Value string
	// Values replaces Value where an attribute is a list.
	Values []string
}

// Key names a service instance: an instance id is unique within its service.
type Key struct{ Namespace, Name, Instance string }

// Key is what the metrics of the service instance are kept under.
func (s Service) Key() Key { return Key{s.Namespace, s.Name, s.InstanceID} }

// Compare orders keys.
func (k Key) Compare(o Key) int {
	return cmp.Or(strings.Compare(k.Namespace, o.Namespace), strings.Compare(k.Name, o.Name), strings.Compare(k.Instance, o.Instance))
}

// Resource is what the metrics of the service carry.
func (s Service) Resource() pcommon.Resource {
	r := pcommon.NewResource()
	m := r.Attributes()
	put(m, telemetry.ServiceName, s.Name)
	put(m, telemetry.ServiceNamespace, s.Namespace)
	put(m, telemetry.ServiceVersion, s.Version)
	put(m, telemetry.ServiceInstanceID, s.InstanceID)
	put(m, telemetry.SDKName, telemetry.Distribution)
	put(m, telemetry.SDKVersion, version.Version)
	put(m, telemetry.SDKLanguage, telemetry.WellKnownLanguage(s.Language))
	put(m, telemetry.DistroName, telemetry.Distribution)
	put(m, telemetry.DistroVersion, version.Version)
	put(m, telemetry.OSType, "linux")
	for _, a := range s.Attributes {
		if _, taken := m.Get(a.Key); taken {
			continue
		}
		if a.Values == nil {
			put(m, a.Key, a.Value)
			continue
		}
		list := m.PutEmptySlice(a.Key)
		for _, v := range a.Values[:min(len(a.Values), telemetry.MaxAttributes)] {
			list.AppendEmpty().SetStr(telemetry.Clip(v, telemetry.MaxValue))
		}
	}
	return r
}

// PlaceResource is Resource without what a language agent knows better of itself.
func (s Service) PlaceResource() pcommon.Resource {
	r := s.Resource()
	r.Attributes().RemoveIf(func(key string, _ pcommon.Value) bool {
		return key == telemetry.OSType || strings.HasPrefix(key, "telemetry.")
	})
	return r
}

// ProcessResource is what the spans of one of its processes carry. The command
// line is left out: it may hold secrets.
func (s Service) ProcessResource(pid int, executable string) pcommon.Resource {
	r := s.Resource()
	r.Attributes().PutInt(telemetry.ProcessPID, int64(pid))
	put(r.Attributes(), telemetry.ProcessExecutableName, executable)
	return r
}

// bounded cuts the names, which are keys in the books and of metrics as well.
func (s Service) bounded() Service {
	for _, text := range []*string{&s.Name, &s.Namespace, &s.Version, &s.InstanceID} {
		*text = telemetry.Clip(*text, telemetry.MaxValue)
	}
	s.Party = s.Party.bounded()
	return s
}

// put is where every text enters a resource: whoever wrote it, a batch has room
// for it, and receivers take it.
func put(m pcommon.Map, key, value string) {
	if value != "" && m.Len() < telemetry.MaxAttributes {
		m.PutStr(key, telemetry.Clip(value, telemetry.MaxValue))
	}
}

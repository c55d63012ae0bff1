package liveprovider

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// mostLeftOut bounds how many parts are taken out of one configuration, each at
// the price of a start: beyond it, the one that ran before is better.
const mostLeftOut = 64

// Memory knows which configurations started and which did not. It is safe for
// concurrent use.
type Memory struct {
	mu sync.Mutex
	// given is what was handed out last, good is what started last.
	given, good *version
	// leftOut are the components that keep a configuration from starting.
	leftOut map[digest][]string
	// hopeless are the configurations that do not start without them either. They
	// are tried again only where none is known that did.
	hopeless map[digest]bool
}

// A version is a configuration with its secrets put in. It is never changed.
type version struct {
	config map[string]any
	digest digest
}

// NewMemory knows nothing yet.
func NewMemory() *Memory {
	return &Memory{leftOut: map[digest][]string{}, hopeless: map[digest]bool{}}
}

// give says what a collector is to run when a configuration was loaded, or could
// not be.
func (m *Memory) give(config map[string]any, sum digest, problem error) (map[string]any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.good != nil && (problem != nil || m.hopeless[sum]):
		m.given = m.good
	case problem != nil:
		m.given = nil
		return nil, problem
	default:
		m.given = &version{config: without(config, m.leftOut[sum]), digest: sum}
	}
	return copied(m.given.config).(map[string]any), nil
}

// Started says that what was given is running.
func (m *Memory) Started(given any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := given.(*version); ok {
		m.good = v
	}
}

// Given names what was handed out last, for Started.
func (m *Memory) Given() any {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.given
}

// Failed says that the collector ended with words. It returns what is left out
// from now on; again is false when the words are not about what was given:
// that had started.
func (m *Memory) Failed(words string) (parts []string, again bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.given == nil || m.given == m.good {
		return nil, false
	}
	sum := m.given.digest
	parts = named(m.given.config, words)
	if len(parts) == 0 || len(m.leftOut[sum])+len(parts) > mostLeftOut {
		m.hopeless[sum] = true
		return nil, true
	}
	m.leftOut[sum] = append(m.leftOut[sum], parts...)
	return parts, true
}

// named lists the components of single destinations that words are about.
func named(config map[string]any, words string) []string {
	var parts []string
	for _, section := range []string{"exporters", "processors", "receivers"} {
		components, _ := config[section].(map[string]any)
		for _, id := range slices.Sorted(maps.Keys(components)) {
			if strings.Contains(id, "/") && mentions(words, id) {
				parts = append(parts, id)
			}
		}
	}
	return parts
}

// mentions says whether words have an id that is not a part of a longer one.
func mentions(words, id string) bool {
	for rest := words; ; {
		before, after, found := strings.Cut(rest, id)
		if !found {
			return false
		}
		if !continues(before, len(before)-1) && !continues(after, 0) {
			return true
		}
		rest = after
	}
}

func continues(text string, i int) bool {
	if i < 0 || i >= len(text) {
		return false
	}
	c := text[i]
	return c == '/' || c == '-' || c == '_' || c == '.' && i+1 < len(text) && text[i+1] > ' ' ||
		c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// without copies a configuration without some components and the pipelines that use them.
func without(config map[string]any, parts []string) map[string]any {
	if len(parts) == 0 {
		return config
	}
	kept := maps.Clone(config)
	for _, section := range []string{"exporters", "processors", "receivers"} {
		if components, ok := config[section].(map[string]any); ok {
			components = maps.Clone(components)
			maps.DeleteFunc(components, func(id string, _ any) bool { return slices.Contains(parts, id) })
			kept[section] = components
		}
	}
	service, _ := config["service"].(map[string]any)
	pipelines, _ := service["pipelines"].(map[string]any)
	service, pipelines = maps.Clone(service), maps.Clone(pipelines)
	maps.DeleteFunc(pipelines, func(_ string, pipeline any) bool { return uses(pipeline, parts) })
	if service != nil {
		service["pipelines"] = pipelines
		kept["service"] = service
	}
	return kept
}

// copied keeps a version from what a collector does to what it is given.
func copied(value any) any {
	switch v := value.(type) {
	case map[string]any:
		copy := make(map[string]any, len(v))
		for key, item := range v {
			copy[key] = copied(item)
		}
		return copy
	case []any:
		copy := make([]any, len(v))
		for i, item := range v {
			copy[i] = copied(item)
		}
		return copy
	}
	return value
}

func uses(pipeline any, parts []string) bool {
	p, _ := pipeline.(map[string]any)
	for _, section := range []string{"exporters", "processors", "receivers"} {
		ids, _ := p[section].([]any)
		for _, id := range ids {
			if text, ok := id.(string); ok && slices.Contains(parts, text) {
				return true
			}
		}
	}
	return false
}

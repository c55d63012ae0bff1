package liveprovider

import (
	"errors"
	"slices"
	"testing"
)

func lanes(names ...string) map[string]any {
	exporters, pipelines := map[string]any{}, map[string]any{}
	for _, name := range names {
		exporters["otlp_grpc/"+name] = map[string]any{"endpoint": name}
		pipelines["traces/"+name] = map[string]any{"receivers": []any{"otlp"}, "exporters": []any{"otlp_grpc/" + name}}
	}
	return map[string]any{
		"receivers": map[string]any{"otlp": map[string]any{}}, "exporters": exporters,
		"service": map[string]any{"pipelines": pipelines},
	}
}

func pipelinesOf(config map[string]any) []string {
	var names []string
	for name := range section(config, "service")["pipelines"].(map[string]any) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func section(config map[string]any, name string) map[string]any { return config[name].(map[string]any) }

func TestOnlyWhatTheWordsNameIsLeftOut(t *testing.T) {
	tests := map[string]struct {
		words string
		want  []string // pipelines of the next attempt
		parts []string
	}{
		"one of two":               {`failed to start "otlp_grpc/shop/a" exporter: no`, []string{"traces/shop/a-b"}, []string{"otlp_grpc/shop/a"}},
		"the longer name":          {`failed to start "otlp_grpc/shop/a-b" exporter: no`, []string{"traces/shop/a"}, []string{"otlp_grpc/shop/a-b"}},
		"in a validation's words":  {"exporters::otlp_grpc/shop/a: no endpoint", []string{"traces/shop/a-b"}, []string{"otlp_grpc/shop/a"}},
		"both":                     {"otlp_grpc/shop/a: no; otlp_grpc/shop/a-b: no", nil, []string{"otlp_grpc/shop/a", "otlp_grpc/shop/a-b"}},
		"nobody":                   {`failed to start "otlp" receiver: in use`, []string{"traces/shop/a", "traces/shop/a-b"}, nil},
		"somebody who is not here": {`failed to start "otlp_grpc/shop/c" exporter`, []string{"traces/shop/a", "traces/shop/a-b"}, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			m := NewMemory()
			if _, err := m.give(lanes("shop/a", "shop/a-b"), digest{1}, nil); err != nil {
				t.Fatal(err)
			}
			parts, again := m.Failed(tc.words)
			if !again || !slices.Equal(parts, tc.parts) {
				t.Errorf("left out %v (%v), want %v", parts, again, tc.parts)
			}
			next, err := m.give(lanes("shop/a", "shop/a-b"), digest{1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := pipelinesOf(next); !slices.Equal(got, tc.want) {
				t.Errorf("the next attempt has %v, want %v", got, tc.want)
			}
		})
	}
}

func TestTheLastOneThatStartedStays(t *testing.T) {
	m := NewMemory()
	give := func(config map[string]any, sum digest, problem error) []string {
		t.Helper()
		given, err := m.give(config, sum, problem)
		if err != nil {
			t.Fatal(err)
		}
		names := pipelinesOf(given)
		clear(section(given, "service")) // A collector may do what it likes with what it is given.
		return names
	}
	if _, err := m.give(nil, digest{}, errors.New("no such file")); err == nil {
		t.Error("there is something to run before anything was loaded")
	}
	give(lanes("a"), digest{1}, nil)
	m.Started(m.Given())
	if _, again := m.Failed("shutting down"); again {
		t.Error("what ran is held against what was given")
	}
	give(lanes("b"), digest{2}, nil)
	m.Failed("nobody knows why")
	for what, got := range map[string][]string{
		"after a failure":         give(lanes("b"), digest{2}, nil),
		"when nothing is to load": give(nil, digest{}, errors.New("no such secret")),
	} {
		if !slices.Equal(got, []string{"traces/a"}) {
			t.Errorf("%s runs %v, want the one that ran", what, got)
		}
	}
	if got := give(lanes("c"), digest{3}, nil); !slices.Equal(got, []string{"traces/c"}) {
		t.Errorf("a new one is %v", got)
	}
}

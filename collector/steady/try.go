package steady

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
)

// lookEvery is how often a starting collector is looked at.
const lookEvery = 5 * time.Millisecond

// anyPort is a port of loopback that nobody else has.
const anyPort = "127.0.0.1:0"

// try starts all that a configuration has and stops it again. Nothing is sent:
// exporters connect only for data, and the heartbeats are left out.
func try(ctx context.Context, set otelcol.CollectorSettings) error {
	dir, err := os.MkdirTemp("", "odi-try-")
	if err != nil {
		return fmt.Errorf("making a folder to try in: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // Whoever asked removes what is left.
	set.ConfigProviderSettings.ResolverSettings.ConverterFactories = []confmap.ConverterFactory{
		confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return throwaway{dir: dir} }),
	}
	set.SkipSettingGRPCLogger = true
	col, err := otelcol.NewCollector(set)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- col.Run(ctx) }()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-tick.C:
		}
		if col.GetState() == otelcol.StateRunning {
			col.Shutdown()
			return <-ended
		}
	}
}

// throwaway gives a configuration ports and folders that nobody else has.
type throwaway struct{ dir string }

// Convert implements confmap.Converter.
func (t throwaway) Convert(_ context.Context, conf *confmap.Conf) error {
	config := conf.ToStringMap()
	t.extensions(section(config, "extensions"))
	service := section(config, "service")
	for _, pipeline := range section(service, "pipelines") {
		if p, ok := pipeline.(map[string]any); ok {
			p["receivers"] = tried(p["receivers"])
		}
	}
	service["telemetry"] = map[string]any{
		"logs":    map[string]any{"level": "error", "disable_stacktrace": true},
		"metrics": map[string]any{"level": "none"},
	}
	config["service"] = service
	config["receivers"] = map[string]any{otlp: map[string]any{"protocols": map[string]any{
		"grpc": map[string]any{"endpoint": anyPort}, "http": map[string]any{"endpoint": anyPort},
	}}}
	*conf = *confmap.NewFromStringMap(config)
	return nil
}

// otlp stands in for every receiver: the gateway's own, whose certificates are
// not here, and the heartbeats, which would contact the backends.
const otlp = "otlp"

// tried keeps the connectors among a pipeline's receivers.
func tried(receivers any) []any {
	ids, _ := receivers.([]any)
	kept := []any{}
	for _, id := range ids {
		text, _ := id.(string)
		kind, _, _ := strings.Cut(text, "/")
		if kind == otlp || kind == "odi_heartbeat" {
			id = otlp
		}
		if !slices.Contains(kept, id) {
			kept = append(kept, id)
		}
	}
	return kept
}

// extensions get folders and ports of their own.
func (t throwaway) extensions(all map[string]any) {
	for id, extension := range all {
		config, ok := extension.(map[string]any)
		if !ok {
			continue
		}
		delete(config, "compaction") // It has a folder as well.
		if config["directory"] != nil {
			config["directory"] = filepath.Join(t.dir, strings.ReplaceAll(id, "/", "_"))
		}
		if config["endpoint"] != nil {
			config["endpoint"] = anyPort
		}
	}
}

// section is a part of a configuration, empty where there is none.
func section(config map[string]any, name string) map[string]any {
	if part, ok := config[name].(map[string]any); ok {
		return part
	}
	return map[string]any{}
}

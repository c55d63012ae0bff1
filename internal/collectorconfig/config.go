package collectorconfig

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"sigs.k8s.io/yaml"
)

// Ports that odi's collectors listen on.
const (
	PortOTLPGRPC = 4317
	// PortAgents takes OTLP over HTTP from language agents, PortPods the odiglet's table of
	// who they are.
	PortAgents  = 4318
	PortPods    = 4319
	PortMetrics = 8888
	PortHealth  = 13133
)

// Config is the configuration of one collector.
type Config struct {
	Extensions map[string]any `json:"extensions,omitempty"`
	Receivers  map[string]any `json:"receivers"`
	Processors map[string]any `json:"processors,omitempty"`
	Exporters  map[string]any `json:"exporters"`
	Connectors map[string]any `json:"connectors,omitempty"`
	Service    Service        `json:"service"`

	hash string
}

// Service says what of it runs.
type Service struct {
	Extensions []string            `json:"extensions,omitempty"`
	Telemetry  map[string]any      `json:"telemetry,omitempty"`
	Pipelines  map[string]Pipeline `json:"pipelines"`
}

// Pipeline is one way through the collector, for one signal.
type Pipeline struct {
	Receivers  []string `json:"receivers"`
	Processors []string `json:"processors,omitempty"`
	Exporters  []string `json:"exporters"`
}

// object is a piece of configuration that has no rules of its own here.
type object = map[string]any

// YAML is the configuration as the collector reads it. Equal values have equal YAML.
func (c Config) YAML() (string, error) {
	text, err := yaml.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("rendering a collector's configuration: %w", err)
	}
	return string(text), nil
}

// Hash names the content of a text, short enough for a label's value.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// base is what every collector of odi has: the way in, a bound on memory, its
// own metrics and health.
func base() Config {
	c := Config{
		Extensions: object{
			"health_check":  object{"endpoint": listen(PortHealth)},
			"odi_reconnect": object{},
			"odi_ready":     object{},
		},
		Receivers: object{"otlp": object{"protocols": object{
			// gRPC alone: only odi's own components send.
			"grpc": object{
				"endpoint": listen(PortOTLPGRPC), "tls": serverTLS(), "keepalive": keepalive(),
				// A receiver begins before all exporters have.
				"middlewares": []any{object{"id": "odi_ready"}},
			},
		}}},
		Processors: object{},
		Exporters:  object{},
		Connectors: object{},
		Service: Service{
			Extensions: []string{"health_check", "odi_reconnect", "odi_ready", "odi_memory", "odi_queue"},
			Telemetry: object{
				"logs": object{"encoding": "json", "disable_stacktrace": true},
				"metrics": object{"readers": []any{object{"pull": object{"exporter": object{"prometheus": object{
					"host": "0.0.0.0", "port": PortMetrics, "without_scope_info": true,
				}}}}}},
			},
			Pipelines: map[string]Pipeline{},
		},
	}
	c.boundMemory()
	return c
}

func listen(port int) string { return fmt.Sprintf("0.0.0.0:%d", port) }

// retry never gives up by itself: the queue is the bound. A pause that a
// backend asks for (Retry-After, gRPC RetryInfo) is kept when it is longer.
func retry() object {
	return object{
		"enabled":          true,
		"initial_interval": "1s",
		// Recovery must show within 30 s.
		"max_interval":     "10s",
		"max_elapsed_time": "0s",
	}
}

package collectorconfig

import (
	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// nodeQueue holds some 20 s of a busy node (5,000 spans a second) in at most
// half of the collector's 256 MiB.
const nodeQueue = 100_000

// Node is the configuration of the nodes' collectors: everything that their
// odiglets send goes to the gateway at the address host:port.
func Node(gateway string) Config {
	c := base()
	c.Exporters["otlp_grpc/gateway"] = object{
		"endpoint":         gateway,
		"tls":              clientTLS(),
		"timeout":          "10s",
		"middlewares":      []any{object{"id": "odi_reconnect"}},
		"retry_on_failure": retry(),
		"sending_queue":    queue(nodeQueue),
	}
	for _, signal := range allSignals() {
		c.Service.Pipelines[string(signal)] = Pipeline{
			Receivers:  []string{"otlp"},
			Processors: []string{"memory_limiter"},
			Exporters:  []string{"otlp_grpc/gateway"},
		}
	}
	return c
}

func allSignals() []odiv1.Signal {
	return []odiv1.Signal{odiv1.SignalTraces, odiv1.SignalMetrics, odiv1.SignalLogs}
}

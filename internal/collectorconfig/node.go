package collectorconfig

import (
	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// Node is the configuration of the nodes' collectors: everything that their
// odiglets, and language agents on the node, send goes to the gateway at the address
// host:port.
func Node(gateway string) Config {
	c := base()
	// Each signal may fill half of all: the other two have the rest.
	c.boundDisk(NodeQueues, NodeQueues/2)
	c.Exporters["otlp_grpc/gateway"] = object{
		"endpoint":         gateway,
		"tls":              clientTLS(),
		"timeout":          "10s",
		"middlewares":      []any{object{"id": "odi_reconnect"}},
		"retry_on_failure": retry(),
		"sending_queue":    queue(NodeQueues / 2),
	}
	for _, signal := range allSignals() {
		c.Service.Pipelines[string(signal)] = Pipeline{
			Receivers:  []string{"otlp"},
			Processors: []string{"memory_limiter", "odi_drain"},
			Exporters:  []string{"otlp_grpc/gateway"},
		}
	}
	c.addAgents()
	c.Service.Extensions = append(c.Service.Extensions, agents)
	return c
}

func allSignals() []odiv1.Signal {
	return []odiv1.Signal{odiv1.SignalTraces, odiv1.SignalMetrics, odiv1.SignalLogs}
}

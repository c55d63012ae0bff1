package collectorconfig

import "path"

// agents is the extension that knows pods by their addresses, and the processor that
// writes on the data of agents whose it is.
const agents = "odi_agents"

// largestRequest is what an agent may send at a time, unpacked: a thousand spans, eight
// times what exporters make of a batch.
const largestRequest = 4 << 20

// addAgents is the way in for language agents, which have no certificates: who sends
// is known by the address, before anything is read.
func (c Config) addAgents() {
	c.Extensions[agents] = object{
		"endpoint":       listen(PortPods),
		"cert_file":      path.Join(CredentialsDir, "server.crt"),
		"key_file":       path.Join(CredentialsDir, "server.key"),
		"client_ca_file": path.Join(CredentialsDir, "clients.crt"),
	}
	c.Receivers["otlp/agents"] = object{"protocols": object{"http": object{
		"endpoint":               listen(PortAgents),
		"max_request_body_size":  largestRequest,
		"compression_algorithms": []any{"", "gzip"},
		"read_header_timeout":    "5s",
		"read_timeout":           "15s",
		"write_timeout":          "30s",
		"middlewares":            []any{object{"id": "odi_ready"}, object{"id": agents}},
	}}}
	c.Processors[agents] = object{}
	for _, signal := range allSignals() {
		c.Service.Pipelines[string(signal)+"/agents"] = Pipeline{
			Receivers:  []string{"otlp/agents"},
			Processors: []string{"memory_limiter", agents, "odi_drain"},
			Exporters:  []string{"otlp_grpc/gateway"},
		}
	}
}

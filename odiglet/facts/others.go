package facts

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// others are programs that instrument the processes of a node as well: what each is known by in
// /proc/PID/comm, where the kernel keeps 15 bytes of a name.
var others = map[string]string{
	"beyla": "Grafana Beyla", "obi": "OpenTelemetry eBPF Instrumentation", "otel-ebpf-profi": "OpenTelemetry eBPF profiler",
	"system-probe": "Datadog system-probe", "pem": "Pixie", "vizier-pem": "Pixie", "oneagentos": "Dynatrace OneAgent",
	"oneagentwatchdo": "Dynatrace OneAgent", "coroot-node-age": "Coroot", "kubeshark": "Kubeshark", "parca-agent": "Parca",
	"newrelic-infra": "New Relic", "deepflow-agent": "DeepFlow", "flora": "groundcover",
	"instana-agent": "Instana", "tetragon": "Tetragon", "falco": "Falco",
}

// maxInstrumenters bounds the list: more tell nothing more.
const maxInstrumenters = 16

// instrumenters looks for programs of others, and for a library that comes into every program.
func (s *sight) instrumenters() {
	entries, err := os.ReadDir(filepath.Join(s.root, "proc"))
	if err != nil {
		s.facts.Unseen["instrumenters"] = err.Error()
		return
	}
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		comm, err := os.ReadFile(filepath.Join(s.root, "proc", entry.Name(), "comm"))
		if err != nil {
			continue // it has ended
		}
		name, known := others[strings.TrimSpace(string(comm))]
		if known && !slices.Contains(s.facts.Instrumenters, name) && len(s.facts.Instrumenters) < maxInstrumenters {
			s.facts.Instrumenters = append(s.facts.Instrumenters, name)
		}
	}
	slices.Sort(s.facts.Instrumenters)
	preload, err := os.ReadFile(filepath.Join(s.root, "proc/1/root/etc/ld.so.preload"))
	switch {
	case err == nil:
		s.facts.Preloaded = strings.Join(strings.Fields(string(preload)), " ")
	case !os.IsNotExist(err):
		s.facts.Unseen["preloaded"] = err.Error()
	}
}

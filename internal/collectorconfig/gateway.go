package collectorconfig

import (
	"fmt"
	"maps"
	"strings"

	"github.com/odi-dev/odi/destinations"
)

const (
	// QueueDir is where the gateway keeps its queues.
	QueueDir = "/var/lib/odi-collector"
	// HeartbeatMetric is 1 per destination that answers, 0 for one that does not.
	HeartbeatMetric = "odi_destination_up"
	// HeartbeatDestinationLabel is the lane's name.
	HeartbeatDestinationLabel = "destination"
	// HeartbeatErrorLabel has the backend's words when the heartbeat is refused.
	HeartbeatErrorLabel = "error"

	// gatewayQueue holds some 20 s of a busy cluster (10,000 spans a second)
	// per destination and signal; about 200 MiB on disk.
	gatewayQueue = 200_000
	// heartbeatMark keeps a heartbeat's component apart from a lane's: no name in Kubernetes has an underscore.
	heartbeatMark = "_heartbeat/"
	nowhere       = "_nowhere"
)

// Lane is one Destination's way through the gateway.
type Lane struct {
	// Name is namespace/name of the Destination.
	Name string
	// Only is the namespace whose data passes; empty means all.
	Only string
	// Exporters that make up the destination.
	Exporters []destinations.Exporter
	// Credentials says, for each key that the exporters refer to, which secret field it is.
	Credentials map[string]string
}

// Gateway is the configuration of the gateway for some lanes. A signal that no
// lane takes is let in and dropped, so that senders do not repeat it for ever.
func Gateway(lanes []Lane) (Config, error) {
	c := base()
	c.Extensions["file_storage"] = object{
		"directory":        QueueDir,
		"create_directory": true,
		// Without it a queue's file keeps the size of its worst day.
		"compaction": object{"on_start": true, "on_rebound": true, "directory": QueueDir},
	}
	c.Service.Extensions = append(c.Service.Extensions, "file_storage")
	served := map[string]bool{}
	for _, lane := range lanes {
		c.add(lane)
		for _, e := range lane.Exporters {
			for _, s := range e.Signals {
				served[string(s)] = true
			}
		}
	}
	c.dropRest(served)
	text, err := c.YAML()
	if err != nil {
		return Config{}, err
	}
	c.hash = Hash(text)
	c.Service.Telemetry["resource"] = object{"attributes": []any{object{"name": "odi.config.hash", "value": c.hash}}}
	return c, nil
}

// ConfigHash is the hash that a gateway with this configuration reports in its
// metrics, as the label odi_config_hash of target_info.
func (c Config) ConfigHash() string { return c.hash }

// add builds one lane: receiver, memory limiter, the lane's gate, exporter with a queue of its own.
func (c Config) add(lane Lane) {
	gate := "odi_lane/" + lane.Name
	c.Processors[gate] = object{}
	if lane.Only != "" {
		c.Processors[gate] = object{"namespace": lane.Only}
	}
	for i, e := range lane.Exporters {
		id := exporterID(e.Type, lane.Name, i)
		c.Exporters[id] = exporterConfig(e)
		for _, s := range e.Signals {
			c.Service.Pipelines[string(s)+"/"+lane.Name] = Pipeline{
				Receivers:  []string{"otlp"},
				Processors: []string{"memory_limiter", gate},
				Exporters:  []string{id},
			}
		}
	}
	c.addHeartbeat(lane)
}

func exporterConfig(e destinations.Exporter) object {
	config := object{}
	maps.Copy(config, e.Config)
	if e.Local {
		return config
	}
	stored := queue(gatewayQueue)
	stored["storage"] = "file_storage"
	config["sending_queue"] = stored
	config["retry_on_failure"] = retry()
	config["timeout"] = "10s"
	return config
}

// addHeartbeat asks a remote destination for signs of life, by its first
// exporter without queue and retries.
func (c Config) addHeartbeat(lane Lane) {
	if len(lane.Exporters) == 0 || lane.Exporters[0].Local {
		return
	}
	first := lane.Exporters[0]
	receiver := "odi_heartbeat/" + lane.Name
	exporter := exporterID(first.Type, heartbeatMark+lane.Name, 0)
	c.Receivers[receiver] = object{"destination": lane.Name}
	config := object{}
	maps.Copy(config, first.Config)
	config["sending_queue"] = object{"enabled": false}
	config["retry_on_failure"] = object{"enabled": false}
	config["timeout"] = "5s"
	c.Exporters[exporter] = config
	c.Service.Pipelines[string(first.Signals[0])+"/"+heartbeatMark+lane.Name] = Pipeline{
		Receivers: []string{receiver},
		Exporters: []string{exporter},
	}
}

func (c Config) dropRest(served map[string]bool) {
	for _, signal := range allSignals() {
		if served[string(signal)] {
			continue
		}
		id := "debug/" + nowhere
		// A line a minute says that data goes nowhere.
		c.Exporters[id] = object{"verbosity": "basic", "sampling_initial": 1, "sampling_thereafter": 1_000_000}
		c.Service.Pipelines[string(signal)+"/"+nowhere] = Pipeline{
			Receivers:  []string{"otlp"},
			Processors: []string{"memory_limiter"},
			Exporters:  []string{id},
		}
	}
}

// exporterID is unique per lane and exporter, so that two destinations of one
// type share nothing: not a queue, not a connection, not a metric.
func exporterID(kind, lane string, index int) string {
	id := kind + "/" + lane
	if index > 0 {
		id += fmt.Sprintf("/_%d", index)
	}
	return id
}

// LaneOfExporter finds the lane that an exporter carries data for; false for
// heartbeats and what goes nowhere.
func LaneOfExporter(id string) (string, bool) {
	parts := strings.Split(id, "/") // type, namespace, name, and _index from the second on
	if len(parts) < 3 || strings.HasPrefix(parts[1], "_") {
		return "", false
	}
	return parts[1] + "/" + parts[2], true
}

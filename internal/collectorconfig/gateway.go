package collectorconfig

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/odi-dev/odi/destinations"
)

const (
	// QueueDir is where the gateway keeps its queues.
	QueueDir = "/var/lib/odi-collector"
	// HeartbeatMetric is 1 per destination that answers, 0 for one that does not.
	HeartbeatMetric = "odi_destination_up"
	// ConfiguredMetric is 1 for each destination that the running configuration has.
	ConfiguredMetric = "odi_destination_configured"
	// HeartbeatDestinationLabel is the lane's name.
	HeartbeatDestinationLabel = "destination"
	// HeartbeatUIDLabel says of which Destination of that name.
	HeartbeatUIDLabel = "uid"
	// HeartbeatGenerationLabel says of which generation of it.
	HeartbeatGenerationLabel = "generation"
	// HeartbeatErrorLabel has the backend's words when the heartbeat is refused.
	HeartbeatErrorLabel = "error"
	// QueuedMetric is how many spans, data points and log records wait, by exporter.
	QueuedMetric = "odi_queue_items"
	// DamagedMetric counts what was damaged in a queue and set aside, by exporter.
	DamagedMetric = "odi_queue_damaged_items"

	entry = "odi_entry"
	// heartbeatMark keeps a heartbeat's component apart from a lane's: no name in Kubernetes has an underscore.
	heartbeatMark = "_heartbeat/"
	nowhere       = "_nowhere"
)

// Lane is one Destination's way through the gateway.
type Lane struct {
	// Name is namespace/name of the Destination.
	Name string
	// UID of the Destination: one that is made anew under the same name is
	// another's, and must not get what waits for its predecessor.
	UID string
	// Generation of the Destination that this is made of: the gateway repeats it, so
	// that what it says is known to be about that one.
	Generation int64
	// Only is the namespace whose data passes; empty means all.
	Only string
	// Queue bounds what waits for it, in bytes for each signal; 0 is laneQueue.
	Queue int64
	// Exporters that make up the destination.
	Exporters []destinations.Exporter
	// Credentials says, for each key that the exporters refer to, which secret field it is.
	Credentials map[string]string
}

// Gateway is the configuration of the gateway for some lanes. A signal that no
// lane takes is let in and dropped, so that senders do not repeat it for ever.
func Gateway(lanes []Lane) (Config, error) { return NamedGateway("", lanes) }

// NamedGateway is Gateway with a name that no gateway of another cluster has: by
// it the gateway knows again what it sent. All of its pods have the same.
func NamedGateway(name string, lanes []Lane) (Config, error) {
	c := base()
	c.Extensions[guard] = object{}
	c.Service.Extensions = append(c.Service.Extensions, guard)
	c.boundDisk(GatewayQueues, laneQueue)
	c.addEntry(name)
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
	c.startTokens()
	text, err := c.YAML()
	if err != nil {
		return Config{}, err
	}
	c.hash = Hash(text)
	c.Service.Telemetry["resource"] = object{"attributes": []any{object{"name": "odi.config.hash", "value": c.hash}}}
	return c, nil
}

// addEntry is one way in per signal, for all lanes: a connector, because what it
// writes on the data would need a copy for each lane behind the receivers.
func (c Config) addEntry(name string) {
	c.Connectors[entry] = object{"name": name}
	for _, signal := range allSignals() {
		c.Service.Pipelines[string(signal)+"/_entry"] = Pipeline{
			Receivers:  []string{"otlp"},
			Processors: []string{"memory_limiter", "odi_drain"},
			Exporters:  []string{entry},
		}
	}
}

// startTokens has every extension that fetches tokens started.
func (c *Config) startTokens() {
	for _, id := range slices.Sorted(maps.Keys(c.Extensions)) {
		if strings.HasPrefix(id, "odi_oauth2/") {
			c.Service.Extensions = append(c.Service.Extensions, id)
		}
	}
}

// ConfigHash is the hash that a gateway with this configuration reports in its
// metrics, as the label odi_config_hash of target_info.
func (c Config) ConfigHash() string { return c.hash }

// add builds one lane: the way in, the lane's gate, an exporter with a queue of its own.
func (c Config) add(lane Lane) {
	gate := "odi_lane/" + lane.Name
	c.Processors[gate] = object{}
	if lane.Only != "" {
		c.Processors[gate] = object{"namespace": lane.Only}
	}
	for i, e := range lane.Exporters {
		id := exporterID(e.Type, lane, i)
		c.Exporters[id] = exporterConfig(e, cmp.Or(lane.Queue, laneQueue), c.addTokens(lane, i))
		for _, s := range e.Signals {
			c.Service.Pipelines[string(s)+"/"+lane.Name] = Pipeline{
				Receivers:  []string{entry},
				Processors: []string{gate},
				Exporters:  []string{id},
			}
		}
	}
	c.addHeartbeat(lane)
}

func exporterConfig(e destinations.Exporter, bytes int64, tokens string) object {
	config := object{}
	maps.Copy(config, e.Config)
	if e.Local {
		return config
	}
	config["middlewares"] = guarded(e, tokens)
	config["sending_queue"] = queue(bytes)
	config["retry_on_failure"] = retry()
	config["timeout"] = "10s"
	return config
}

// guard keeps an exporter from addresses that are no backend's.
const guard = "odi_guard"

// guarded are the middlewares of an exporter that sends over a network. The guard
// is nobody's to leave out, and the last, so that it sees the connections.
func guarded(e destinations.Exporter, tokens string) []any {
	own, _ := e.Config["middlewares"].([]any)
	all := slices.Clone(own)
	if tokens != "" {
		all = append(all, object{"id": tokens})
	}
	return append(all, object{"id": guard})
}

// addTokens adds who fetches the tokens of a lane's exporter, and returns its id: one
// for the exporter and the heartbeat, which share a token. It is empty for no tokens.
func (c Config) addTokens(lane Lane, index int) string {
	config := object{}
	maps.Copy(config, lane.Exporters[index].OAuth2)
	if len(config) == 0 {
		return ""
	}
	id := exporterID("odi_oauth2", lane, index)
	config["middlewares"] = []any{object{"id": guard}}
	c.Extensions[id] = config
	return id
}

// addHeartbeat asks a remote destination for signs of life, by its first
// exporter without queue and retries.
func (c Config) addHeartbeat(lane Lane) {
	if len(lane.Exporters) == 0 || lane.Exporters[0].Local {
		return
	}
	first := lane.Exporters[0]
	receiver := "odi_heartbeat/" + lane.Name
	exporter := first.Type + "/" + heartbeatMark + lane.Name
	c.Receivers[receiver] = object{"destination": lane.Name, "uid": lane.UID, "generation": lane.Generation}
	config := object{}
	maps.Copy(config, first.Config)
	config["middlewares"] = guarded(first, c.addTokens(lane, 0))
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
			Receivers: []string{entry},
			Exporters: []string{id},
		}
	}
}

// exporterID is unique per Destination and exporter, so that two destinations of
// one type share nothing, and two of one name, one after the other, neither: not
// a queue, not a connection, not a metric.
func exporterID(kind string, lane Lane, index int) string {
	id := kind + "/" + lane.Name + "/" + lane.UID
	if index > 0 {
		id += fmt.Sprintf("/_%d", index)
	}
	return id
}

// Key tells a lane from one of the same name that was there before.
func (l Lane) Key() string { return l.Name + "/" + l.UID }

// LaneOfExporter finds the key of the lane that an exporter carries data for; false
// for heartbeats and what goes nowhere.
func LaneOfExporter(id string) (string, bool) {
	parts := strings.Split(id, "/") // type, namespace, name, UID, and _index from the second on
	if len(parts) < 4 || strings.HasPrefix(parts[1], "_") {
		return "", false
	}
	return strings.Join(parts[1:4], "/"), true
}

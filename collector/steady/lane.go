package steady

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/odi-dev/odi/collector/components/ask"
	"github.com/odi-dev/odi/collector/components/liveprovider"
	"github.com/odi-dev/odi/collector/components/oauthextension"
)

// lane is what of a gateway's configuration sends to one destination, to be asked:
// the same exporters, without what waits or repeats.
type lane struct {
	destination string // namespace/name
	question    *ask.Question

	// Known once a configuration was converted.
	uid        string
	generation int64
	made       []string // of secrets, for headers
	secrets    ask.Secrets
}

// askTimeout bounds one request. It is longer than a gRPC connection's attempt,
// whose error says more than that of the request which waits for it.
const askTimeout = "8s"

// Convert implements confmap.Converter.
func (l *lane) Convert(_ context.Context, conf *confmap.Conf) error {
	config := conf.ToStringMap()
	pipelines, used := l.pipelines(section(section(config, "service"), "pipelines"))
	if len(pipelines) == 0 {
		return fmt.Errorf("%w: %s", errNoLane, l.destination)
	}
	exporters := map[string]any{}
	extensions := map[string]any{ask.Name: map[string]any{}}
	configured := section(config, "extensions")
	for _, id := range used {
		exporter := section(section(config, "exporters"), id)
		l.learn(id, exporter)
		exporters[id] = unhurried(exporter, extensions)
	}
	for id := range extensions {
		if id != ask.Name {
			extensions[id] = section(configured, id)
			l.learnClient(section(configured, id))
		}
	}
	if err := l.readSecrets(); err != nil {
		return err
	}
	beat := section(section(config, "receivers"), "odi_heartbeat/"+l.destination)
	l.generation, _ = strconv.ParseInt(fmt.Sprint(beat["generation"]), 10, 64) // else 0: a local one has no heartbeat
	l.question.Expect(signals(pipelines))
	*conf = *confmap.NewFromStringMap(map[string]any{
		"extensions": extensions,
		"receivers":  map[string]any{ask.Name: map[string]any{}},
		"exporters":  exporters,
		"service": map[string]any{
			"extensions": names(extensions),
			"pipelines":  pipelines,
			"telemetry":  map[string]any{"metrics": map[string]any{"level": "none"}},
		},
	})
	return nil
}

// pipelines are those of the lane with the question in front, and their exporters.
func (l *lane) pipelines(all map[string]any) (mine map[string]any, exporters []string) {
	mine = map[string]any{}
	for name := range all {
		if _, of, _ := strings.Cut(name, "/"); of != l.destination {
			continue
		}
		mine[name] = map[string]any{"receivers": []any{ask.Name}, "exporters": section(all, name)["exporters"]}
		ids, _ := section(all, name)["exporters"].([]any)
		for _, id := range ids {
			if text, ok := id.(string); ok && !slices.Contains(exporters, text) {
				exporters = append(exporters, text)
			}
		}
	}
	return mine, exporters
}

// learn reads whose an exporter is, and what of its headers was made of a secret.
func (l *lane) learn(id string, exporter map[string]any) {
	if parts := strings.Split(id, "/"); len(parts) >= 4 { // type, namespace, name, UID
		l.uid = parts[3]
	}
	for _, value := range section(exporter, "headers") {
		text, _ := value.(string)
		if made, basic := strings.CutPrefix(text, "Basic "); basic {
			l.made = append(l.made, made)
		}
	}
}

// learnClient reads what a request for a token is signed with.
func (l *lane) learnClient(extension map[string]any) {
	id, _ := extension["client_id"].(string)
	if secret, ok := extension["client_secret"].(string); ok {
		l.made = append(l.made, oauthextension.Basic(id, secret))
	}
}

// readSecrets reads those of the destination, all that there are while it is unknown
// whose they are: nothing is said without them.
func (l *lane) readSecrets() (err error) {
	prefix := "ODI_"
	if l.uid != "" {
		prefix += strings.ReplaceAll(l.uid, "-", "_") + "_"
	}
	l.secrets, err = ask.ReadSecrets(liveprovider.CredentialsDir(), prefix, l.made)
	return err
}

// unhurried is an exporter that neither queues nor repeats, and is looked at. The
// extensions that it needs are added to those that there are.
func unhurried(exporter, extensions map[string]any) map[string]any {
	if exporter["sending_queue"] == nil {
		return exporter // It sends nothing over a network.
	}
	exporter["sending_queue"] = map[string]any{"enabled": false}
	exporter["retry_on_failure"] = map[string]any{"enabled": false}
	exporter["timeout"] = askTimeout
	middlewares, _ := exporter["middlewares"].([]any)
	for _, m := range middlewares {
		if use, ok := m.(map[string]any); ok {
			extensions[fmt.Sprint(use["id"])] = map[string]any{}
		}
	}
	exporter["middlewares"] = append([]any{map[string]any{"id": ask.Name}}, middlewares...)
	return exporter
}

func signals(pipelines map[string]any) []string {
	var all []string
	for name := range pipelines {
		signal, _, _ := strings.Cut(name, "/")
		all = append(all, signal)
	}
	return all
}

func names(extensions map[string]any) []any {
	var all []any
	for name := range extensions {
		all = append(all, name)
	}
	return all
}

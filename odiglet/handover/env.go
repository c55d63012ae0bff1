package handover

import (
	"math"
	"path"
	"strconv"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/languages/language"
)

// envAgent is set in every container that gets an agent: language@version.
const envAgent = "ODI_AGENT"

const (
	envSampler  = "OTEL_TRACES_SAMPLER"
	envRatio    = "OTEL_TRACES_SAMPLER_ARG"
	envExporter = "OTEL_TRACES_EXPORTER"
)

// maxAgent is the API's limit.
const maxAgent = 127

// KeepEnv says of which variables the values are needed.
func KeepEnv(name string) bool {
	return name == envAgent || name == envSampler || name == envRatio || name == envExporter
}

// AgentOf reads which agent an environment names, as language@version; empty: none.
// Whoever writes it may write anything: what is no agent's name is none.
func AgentOf(env map[string]string) string {
	agent := env[envAgent]
	name, version, ok := strings.Cut(agent, "@")
	if !ok || len(agent) > maxAgent || !isWord(name) || !isWord(version) {
		return ""
	}
	return agent
}

// isWord accepts what a folder of an agent is called by.
func isWord(s string) bool {
	if s == "" || s[0] == '.' {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// Language is the language of an agent.
func Language(agent string) string {
	name, _, _ := strings.Cut(agent, "@")
	return name
}

// enough is how many requests of sampled traces an agent has left out that sees none; 0
// where nobody can tell. One that decides by the trace id, as odi has it, decides so for
// traces that it begins itself, under ids of its own: of each of these requests it
// reports as large a share at least.
func enough(env map[string]string) int {
	if exporter := env[envExporter]; exporter != "" && !strings.Contains(exporter, "otlp") {
		return 0
	}
	switch env[envSampler] {
	case "", "always_on", "parentbased_always_on":
		return witnessRequests
	case "parentbased_traceidratio":
		ratio, err := strconv.ParseFloat(env[envRatio], 64)
		if err != nil || ratio < leastRatio || ratio > 1 {
			return 0
		}
		return int(math.Ceil(witnessRequests / ratio))
	}
	return 0
}

// leastRatio is of whom so few requests are reported that waiting for one is no use.
const leastRatio = 0.01

// states are the files of an agent's state folder, the one that counts first: a
// process that said two has had trouble with the first.
var states = []struct {
	file  string
	state odiv1.AgentState
}{
	{"failed", odiv1.AgentFailed},
	{"unsupported", odiv1.AgentUnsupported},
	{"own-sdk", odiv1.AgentOwnSDK},
	{"alive", odiv1.AgentAlive},
}

// StateOf finds the marker of an agent among the files that a process has mapped or
// open; empty where there is none yet.
func StateOf(agent string, files []string) odiv1.AgentState {
	name, version, _ := strings.Cut(agent, "@")
	folder := path.Join(language.Root(name, language.Release{Version: version}), "state") + "/"
	for _, s := range states {
		for _, file := range files {
			// A mount namespace may show the file below another root.
			if strings.HasSuffix(file, folder+s.file) {
				return s.state
			}
		}
	}
	return ""
}

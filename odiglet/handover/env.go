package handover

import (
	"path"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/languages/language"
)

// envAgent is set in every container that gets an agent: language@version.
const envAgent = "ODI_AGENT"

const (
	envSampler  = "OTEL_TRACES_SAMPLER"
	envExporter = "OTEL_TRACES_EXPORTER"
)

// maxAgent is the API's limit.
const maxAgent = 127

// KeepEnv says of which variables the values are needed.
func KeepEnv(name string) bool {
	return name == envAgent || name == envSampler || name == envExporter
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

// reportsAll says whether an agent reports each request that its caller recorded:
// whoever samples on their own may report none of twenty.
func reportsAll(env map[string]string) bool {
	switch env[envSampler] {
	case "", "always_on", "parentbased_always_on":
	default:
		return false
	}
	exporter := env[envExporter]
	return exporter == "" || strings.Contains(exporter, "otlp")
}

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

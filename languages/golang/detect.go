package golang

import (
	"strings"

	"github.com/odi-dev/odi/languages/language"
)

// Language is the Go room.
var Language = language.Language{Name: "go", Detect: detect}

func detect(p language.Process) (language.Runtime, bool) {
	info, ok := readBuildInfo(p.Binary)
	if !ok && !hasGoTables(p.Binary) {
		return language.Runtime{}, false
	}
	return language.Runtime{
		Language: language.Go,
		Version:  version(info.goVersion),
		Agents:   agents(p, info.modules),
	}, true
}

// hasGoTables finds Go binaries whose build information is gone or was never there (before Go 1.13).
func hasGoTables(b language.Binary) bool {
	return b.HasSection(".gopclntab") || b.HasSection(".data.rel.ro.gopclntab") || b.HasSection(".note.go.buildid")
}

// version turns "go1.26.8", "go1.21.5 X:boringcrypto" or "devel go1.27-c0ffee Mon" into a plain version.
func version(goVersion string) string {
	for _, word := range strings.Fields(goVersion) {
		if v, ok := strings.CutPrefix(word, "go"); ok {
			return v
		}
	}
	return ""
}

// vendorModules are the modules that an application is linked with only if it traces itself with them.
var vendorModules = []struct{ module, agent string }{
	{"github.com/DataDog/dd-trace-go", "datadog"},
	{"gopkg.in/DataDog/dd-trace-go.v1", "datadog"},
	{"go.elastic.co/apm", "elastic"},
	{"github.com/newrelic/go-agent", "newrelic"},
}

// agents finds tracers that were compiled in. The OpenTelemetry SDK counts only when its exporter is also
// configured, because many libraries pull it in without ever starting it.
func agents(p language.Process, modules string) []language.Agent {
	var found []language.Agent
	for _, v := range vendorModules {
		if strings.Contains(modules, "dep\t"+v.module) {
			found = append(found, language.Agent{Name: v.agent, Loaded: true})
		}
	}
	if strings.Contains(modules, "dep\tgo.opentelemetry.io/otel/sdk\t") && p.ExportsByEnv() {
		found = append(found, language.Agent{Name: "opentelemetry", Loaded: true})
	}
	return found
}

package otheragent_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/language/languagetest"
	"github.com/odi-dev/odi/languages/otheragent"
)

func TestFind(t *testing.T) {
	java := func(options string) language.Process {
		return language.Process{Env: map[string]string{"JAVA_TOOL_OPTIONS": options}}
	}
	args := func(args ...string) language.Process { return language.Process{Args: args} }
	env := func(name, value string) language.Process {
		return language.Process{Env: map[string]string{name: value}}
	}
	maps := func(files ...string) language.Process { return language.Process{Maps: files} }
	profiler := func(enabled string) language.Process {
		return language.Process{Env: map[string]string{
			"CORECLR_ENABLE_PROFILING": enabled, "CORECLR_PROFILER": "{846F5F1C-F9AE-4B07-969E-05C26BC060D8}",
		}}
	}
	secure := env("LD_PRELOAD", "/opt/dynatrace/liboneagentproc.so")
	secure.Secure = true
	tests := map[string]struct {
		process language.Process
		of      language.Name
		want    []language.Agent
	}{
		"nothing":                             {language.Process{}, language.Java, nil},
		"Java: Datadog by environment":        {java("-Xmx1g -javaagent:/dd/dd-java-agent.jar"), language.Java, loaded("datadog")},
		"Java: New Relic by argument":         {args("java", "-javaagent:/opt/newrelic/newrelic.jar", "-jar", "a.jar"), language.Java, loaded("newrelic")},
		"Java: OpenTelemetry with options":    {java("-javaagent:/o/opentelemetry-javaagent.jar=otel.x=datadog"), language.Java, loaded("opentelemetry")},
		"Java: Splunk's":                      {java("-javaagent:/s/splunk-otel-javaagent.jar"), language.Java, loaded("splunk")},
		"Java: Elastic's":                     {java("-javaagent:/e/elastic-apm-agent-1.50.jar"), language.Java, loaded("elastic")},
		"Java: AppDynamics'":                  {java("-javaagent:/opt/AppDynamics/ver4/javaagent.jar"), language.Java, loaded("appdynamics")},
		"Java: a profiler is no tracer":       {java("-javaagent:/jacoco.jar -agentpath:/libasync.so"), language.Java, nil},
		"Java: an option that names a vendor": {java("-Dservice=datadog-sync"), language.Java, nil},
		"Java's options in a Python process":  {java("-javaagent:/dd/dd-java-agent.jar"), language.Python, nil},
		"Python: Datadog's bootstrap":         {env("PYTHONPATH", "/usr/lib/python3/site-packages/ddtrace/bootstrap:/app"), language.Python, loaded("datadog")},
		"Python: OpenTelemetry's bootstrap":   {env("PYTHONPATH", "/x/opentelemetry/instrumentation/auto_instrumentation"), language.Python, loaded("opentelemetry")},
		"Python: an extension of ddtrace":     {maps("/v/lib/python3.11/site-packages/ddtrace/internal/_rand.cpython-311-x86_64-linux-gnu.so"), language.Python, loaded("datadog")},
		"Python: its launcher":                {args("python3", "/usr/bin/newrelic-admin", "run-program"), language.Python, loaded("newrelic")},
		"Node.js: by environment":             {env("NODE_OPTIONS", "--require dd-trace/init"), language.Nodejs, loaded("datadog")},
		"Node.js: by argument":                {args("node", "-r", "@opentelemetry/auto-instrumentations-node/register", "app.js"), language.Nodejs, loaded("opentelemetry")},
		"Node.js: by joined argument":         {args("node", "--import=elastic-apm-node/start.js", "app.js"), language.Nodejs, loaded("elastic")},
		"Node.js: an argument of the program": {args("node", "app.js", "-r", "newrelic"), language.Nodejs, nil},
		"Node.js: another flag":               {args("node", "--title=datadog", "app.js"), language.Nodejs, nil},
		".NET: profiler":                      {profiler("1"), language.Dotnet, loaded("datadog")},
		".NET: profiler that is switched off": {profiler("0"), language.Dotnet, nil},
		".NET: OpenTelemetry's library":       {maps("/otel/linux-x64/OpenTelemetry.AutoInstrumentation.Native.so"), language.Dotnet, loaded("opentelemetry")},
		"Ruby":                                {env("RUBYOPT", "-W0 -rddtrace/auto_instrument"), language.Ruby, loaded("datadog")},
		"PHP: extension":                      {maps("/usr/lib/php/20220829/newrelic.so"), language.PHP, loaded("newrelic")},
		"Dynatrace anywhere":                  {maps("/opt/dynatrace/oneagent/agent/lib64/liboneagentproc.so"), language.C, loaded("dynatrace")},
		"Dynatrace preloaded":                 {env("LD_PRELOAD", "/opt/dynatrace/liboneagentproc.so"), language.CPP, loaded("dynatrace")},
		"a secure process is not preloaded":   {secure, language.CPP, nil},
		"a data file that is called newrelic": {maps("/var/lib/newrelic.db"), language.C, nil},
		"Java: odi's own":                     {java("-Xmx1g -javaagent:/odi/java/2.33.1-odi.1/agent/opentelemetry-javaagent.jar"), language.Java, nil},
		"Java: odi's own beside another":      {java("-javaagent:/dd-java-agent.jar -javaagent:/odi/java/2.33.1-odi.1/agent/opentelemetry-javaagent.jar"), language.Java, loaded("datadog")},
		"Java: odi's own jar is mapped":       {maps("/odi/java/2.33.1-odi.1/agent/opentelemetry-javaagent.jar"), language.Java, nil},
		"Java: a folder that is called odi":   {java("-javaagent:/opt/odi/opentelemetry-javaagent.jar"), language.Java, loaded("opentelemetry")},
		"Python: odi's own beside another":    {env("PYTHONPATH", "/odi/python/0.66b1-odi.1/agent/boot:/x/ddtrace/bootstrap"), language.Python, loaded("datadog")},
		"Python: odi's own":                   {env("PYTHONPATH", "/odi/python/0.66b1-odi.1/agent/opentelemetry:/app"), language.Python, nil},
		"Node.js: odi's own":                  {env("NODE_OPTIONS", "--require /odi/nodejs/0.82.0-odi.1/agent/opentelemetry.cjs"), language.Nodejs, nil},
		"Node.js: odi's own beside another":   {env("NODE_OPTIONS", "--require dd-trace/init --require /odi/nodejs/0.82.0-odi.1/agent/boot.cjs"), language.Nodejs, loaded("datadog")},
		"what odi's agents export by":         {language.Process{Env: map[string]string{"ODI_AGENT": "", "OTEL_EXPORTER_OTLP_ENDPOINT": ""}}, language.Python, nil},
		"two at once":                         {java("-javaagent:/dd-java-agent.jar -javaagent:/newrelic.jar"), language.Java, loaded("datadog", "newrelic")},
		"only configured":                     {env("OTEL_EXPORTER_OTLP_ENDPOINT", ""), language.Ruby, []language.Agent{{Name: "opentelemetry"}}},
		"configured, but traces are off":      {language.Process{Env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "", "OTEL_TRACES_EXPORTER": "none"}}, language.Ruby, nil},
		"configured, but the SDK is disabled": {language.Process{Env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "", "OTEL_SDK_DISABLED": "true"}}, language.Ruby, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, otheragent.Find(languagetest.Process(tc.process), tc.of)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func loaded(names ...string) (agents []language.Agent) {
	for _, name := range names {
		agents = append(agents, language.Agent{Name: name, Loaded: true})
	}
	return agents
}

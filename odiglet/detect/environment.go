package detect

// agentVariables are those that agents are configured by, sorted: an agent that is
// injected has to share them with the application.
var agentVariables = []string{
	"CORECLR_PROFILER", "DOTNET_ADDITIONAL_DEPS", "DOTNET_SHARED_STORE", "DOTNET_STARTUP_HOOKS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "NODE_OPTIONS",
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
	"OTEL_METRICS_EXPORTER", "OTEL_PROPAGATORS", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME",
	"OTEL_TRACES_EXPORTER", "PYTHONPATH",
}

func forAgents(env map[string]string) []string {
	var names []string
	for _, name := range agentVariables {
		if _, has := env[name]; has {
			names = append(names, name)
		}
	}
	return names
}

package java

import "github.com/odi-dev/odi/languages/language"

// toolOptions is read by every Java virtual machine, launcherOptions by the command java since version 9.
const (
	toolOptions     = "JAVA_TOOL_OPTIONS"
	launcherOptions = "JDK_JAVA_OPTIONS"
	launcherSince   = 9
)

// inject lets the virtual machine load the agent before main, by an option in one of two variables: where the
// first belongs to the image, the second is often free.
func inject(in language.Injection) ([]language.Edit, *language.Objection) {
	option := "-javaagent:" + in.Root + "/opentelemetry-javaagent.jar"
	edits, objection := in.Append(toolOptions, " ", option)
	if objection != nil && in.AtLeast(launcherSince) {
		if second, no := in.Append(launcherOptions, " ", option); no == nil {
			edits, objection = second, nil
		}
	}
	if objection != nil {
		return nil, objection
	}
	edits = append(edits, in.Protocol("http/protobuf")...)
	// The command line, which the provider sends, may hold passwords.
	return append(edits, in.Default("OTEL_JAVA_DISABLED_RESOURCE_PROVIDERS",
		"io.opentelemetry.instrumentation.resources.ProcessResourceProvider")...), nil
}

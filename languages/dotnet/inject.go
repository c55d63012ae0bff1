package dotnet

import (
	"strings"

	"github.com/odi-dev/odi/languages/language"
)

// profiler is the class id of OpenTelemetry's own.
const profiler = "{918728DD-259F-4A6A-AC2B-B85E1B658318}"

// native are the folders of the profiler's library by C library, for amd64 and arm64; the runtime takes the
// variable of its own machine.
var native = map[language.Libc][2]string{
	language.Glibc: {"linux-x64", "linux-arm64"},
	language.Musl:  {"linux-musl-x64", "linux-musl-arm64"},
}

// inject loads the profiler and the startup hook of OpenTelemetry's automatic instrumentation, which the image
// that the user names holds as upstream packs it. A process has one profiler: a foreign one keeps its place.
func inject(in language.Injection) ([]language.Edit, *language.Objection) {
	folders, known := native[in.Libc]
	if !known {
		return nil, &language.Objection{Reason: language.UnsupportedLibc, Message: "The .NET agent needs glibc or musl."}
	}
	if own, found := in.Lookup("CORECLR_PROFILER"); in.Own("CORECLR_PROFILER") && (!found || !strings.EqualFold(own.Value, profiler)) {
		return nil, &language.Objection{Reason: language.OtherProfiler, Message: "CORECLR_PROFILER names another profiler; a process has one."}
	}
	var edits []language.Edit
	for _, list := range [][2]string{
		{"DOTNET_STARTUP_HOOKS", in.Root + "/net/OpenTelemetry.AutoInstrumentation.StartupHook.dll"},
		{"DOTNET_ADDITIONAL_DEPS", in.Root + "/AdditionalDeps"},
		{"DOTNET_SHARED_STORE", in.Root + "/store"},
	} {
		more, objection := in.Append(list[0], ":", list[1])
		if objection != nil {
			return nil, objection
		}
		edits = append(edits, more...)
	}
	const library = "/OpenTelemetry.AutoInstrumentation.Native.so"
	for _, one := range [][2]string{
		{"CORECLR_ENABLE_PROFILING", "1"},
		{"CORECLR_PROFILER", profiler},
		{"CORECLR_PROFILER_PATH_64", in.Root + "/" + folders[0] + library},
		{"CORECLR_PROFILER_PATH_ARM64", in.Root + "/" + folders[1] + library},
		{"OTEL_DOTNET_AUTO_HOME", in.Root},
	} {
		edits = append(edits, in.Default(one[0], one[1])...)
	}
	return append(edits, in.Protocol("http/protobuf")...), nil
}

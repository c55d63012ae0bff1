package language

// Language is one room.
type Language struct {
	// Name of the room, for logs and tests. What it finds may go by another name (see Runtime).
	Name string
	// Detect says whether the process is this room's, and if so with which version. It returns
	// (Runtime{}, false) for "not mine", and leaves Version empty for "mine, version unknown".
	// It fills Language, Version, Server and the traits that it knows; libc, AT_SECURE and other agents are
	// the same for every language and are added by the caller.
	Detect func(Process) (Runtime, bool)
	// Agents are the releases of the language's agent, the newest first; none for a language that has only eBPF.
	Agents []Release
	// Inject says what the environment of a container gets so that its runtime loads the agent, or why it gets
	// nothing; nil for a language that has only eBPF. Injected once more, nothing changes.
	Inject func(Injection) ([]Edit, *Objection)
	// SendsLogs says that its agent can send what an application logs.
	SendsLogs bool
}

// Name is a language in OpenTelemetry's words (telemetry.sdk.language) where it has one.
type Name string

// The languages that rooms find.
const (
	Go     Name = "go"
	Java   Name = "java"
	Python Name = "python"
	Nodejs Name = "nodejs"
	Dotnet Name = "dotnet"
	Ruby   Name = "ruby"
	PHP    Name = "php"
	Erlang Name = "erlang"
	Swift  Name = "swift"
	Rust   Name = "rust"
	CPP    Name = "cpp"

	// OpenTelemetry has no word for these.

	C      Name = "c"
	Deno   Name = "deno"
	Bun    Name = "bun"
	Perl   Name = "perl"
	Lua    Name = "lua"
	Native Name = "native" // compiled to machine code, from which language cannot be told
)

// Libc is the C library that a process is linked with; it decides which native agents can be loaded.
type Libc string

// The C libraries.
const (
	Glibc       Libc = "glibc"
	Musl        Libc = "musl"
	Static      Libc = "static" // no dynamic loader: nothing can be preloaded
	LibcUnknown Libc = "unknown"
)

// Runtime is what one process runs, or after Combine what a container runs. The zero value is "unknown".
type Runtime struct {
	Language Name
	// Version of the language's runtime, like 1.26.8, 17.0.15 or 3.11; "" when unknown.
	Version string
	// Server names a known server (nginx, postgres, kafka): infrastructure, which gets eBPF but no agent.
	Server string
	Libc   Libc
	// Secure is AT_SECURE: the loader ignores LD_PRELOAD and the like.
	Secure bool
	// Compiled is set for Java and .NET code that was compiled ahead of time (GraalVM native image,
	// NativeAOT): no agent of that language can be loaded.
	Compiled bool
	// EventLoop is set for proxies that serve many requests on one thread and forward them: nginx, haproxy,
	// envoy. The engine then ties requests by socket.
	EventLoop bool
	// Strict is set for runtimes that are known to move a request between threads: the engine must never
	// trust a thread there.
	Strict bool
	// AsksAgain is set for runtimes that wait once more where a call that blocks is told EAGAIN.
	AsksAgain bool
	// Helper is set for shells, init programs and the like, which run beside the application.
	Helper bool
	// Agents of others that were recognised, sorted by name.
	Agents []Agent
}

// Agent is another vendor's agent or SDK in a process.
type Agent struct {
	// Name of the vendor or project, for example datadog or opentelemetry.
	Name string
	// Loaded is set when the agent itself was seen. It is not set when only its configuration was: an
	// environment may be shared by programs that have no SDK at all.
	Loaded bool
}

// Known says whether anything was recognised.
func (r Runtime) Known() bool { return r.Language != "" }

// Label is the name that users see: the server's where it is a known one, else the language.
func (r Runtime) Label() string {
	if r.Server != "" {
		return r.Server
	}
	return string(r.Language)
}

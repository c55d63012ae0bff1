package probe

// Target is one process to watch. It stays watched until it is removed or exits.
type Target struct {
	// PID is the process id (thread group id) in the root PID namespace.
	PID uint32
	// Name is for logs and reports only.
	Name string
	// EventLoopProxy marks processes such as nginx, HAProxy and Envoy, whose
	// threads serve many requests at a time and whose callbacks continue the
	// work of the socket they were woken for.
	EventLoopProxy bool
	// Strict forbids thread trust: the runtime is known to move work between threads.
	Strict bool
	// Propagate allows the engine to write traceparent into outgoing requests.
	// Leave it false where an SDK or agent does that already.
	Propagate bool
	// Children makes processes that this one forks targets too, from their first
	// instruction on. They have the same settings and appear in Processes.
	Children bool
	// Root is the path of the process's root directory as this process sees it.
	// Empty means /proc/PID/root.
	Root string
}

// Process is one event in the life of a process.
type Process struct {
	Kind ProcessKind
	// PID is the process id; Parent is the process id of its parent.
	PID    uint32
	Parent uint32
	// Comm is the kernel's name of the process, at most 15 bytes.
	Comm string
	// Target says that the process was a target when the event happened.
	Target bool
}

// ProcessKind says what happened to a process.
type ProcessKind uint8

// The kinds of process events. Forks are reported only for children of targets
// whose Children is set; execs and exits for every process of the machine.
const (
	ProcessExec ProcessKind = iota + 1
	ProcessExit
	ProcessFork
)

// String returns the kind in lower case.
func (k ProcessKind) String() string {
	switch k {
	case ProcessExec:
		return "exec"
	case ProcessExit:
		return "exit"
	case ProcessFork:
		return "fork"
	}
	return "unknown"
}

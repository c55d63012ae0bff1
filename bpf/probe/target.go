package probe

// Target is one process to watch. It stays watched until it is removed or exits.
type Target struct {
	// PID is the process id (thread group id) in this process's PID namespace, as
	// all process ids that user space sees.
	PID uint32
	// Name is for logs and reports only.
	Name string
	// EventLoopProxy marks processes such as nginx, HAProxy and Envoy, whose
	// threads serve many requests at a time and whose callbacks continue the
	// work of the socket they were woken for.
	EventLoopProxy bool
	// Strict forbids thread trust: the runtime is known to move work between threads.
	Strict bool
	// AsksAgain says that the runtime waits once more where a call that blocks is told EAGAIN, so
	// that its connections may stay in the socket map while it waits.
	AsksAgain bool
	// Propagate allows the engine to write traceparent into outgoing requests.
	// Leave it false where an SDK or agent does that already.
	Propagate bool
	// Sampling decides for requests without a parent.
	Sampling Sampling
	// Children makes processes that this one forks targets too, from their first
	// instruction on. They have the same settings and appear in Processes. A target
	// that runs another program stays one; AddTarget then tells what that is.
	Children bool
	// Root is the path of the process's root directory as this process sees it.
	// Empty means /proc/PID/root.
	Root string
}

// Process is one event in the life of a process.
type Process struct {
	Kind ProcessKind
	// PID is the process id; Parent is that of its parent, 0 where this process's
	// PID namespace does not have it.
	PID    uint32
	Parent uint32
	// Start is when the process started, in clock ticks since boot as in /proc.
	Start uint64
	// Comm is the kernel's name of the process, at most 15 bytes.
	Comm string
	// Target says that the process was a target when the event happened.
	Target bool
	// Cgroup identifies its cgroups, for IgnoreCgroup.
	Cgroup uint64
	// Program is what a target runs from now on; nil but for the exec of one.
	Program *Program
}

// Wanted is which programs are told of at their start, besides those of targets.
// The zero value wants none.
type Wanted struct {
	// Any wants all of them.
	Any bool
	// Names are file names of executables, or of what they are called by: the end
	// of the first argument.
	Names []string
}

// Program is what names a program, as it was when it started.
type Program struct {
	// Name is the file name of the executable.
	Name string
	// Args is the command line; a long one is cut.
	Args []string
	// Environ is the environment, as NAME=value entries that end with a zero. Cut
	// says that there may be more. It may hold secrets.
	Environ []byte
	Cut     bool
	// Cgroup is the path of its cgroup (v2), or the last part of a deep one. On
	// machines without cgroup v2 it leads nowhere.
	Cgroup string
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

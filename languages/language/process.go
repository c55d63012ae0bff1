package language

import (
	"path"
	"slices"
	"strings"
)

// Process is what a room may look at: plain data, and readers that are bounded and lazy. Every value but
// Secure was chosen by the process or its image, so nothing in it is trusted to be well formed.
type Process struct {
	// Exe is the path of the executable as the process sees it, links resolved.
	Exe string
	// Args is the command line.
	Args []string
	// Env maps the name of each environment variable to its value; the values of names that KeepEnv does
	// not accept are empty.
	Env map[string]string
	// Maps lists the files that are mapped, sorted, each once.
	Maps []string
	// Secure is AT_SECURE.
	Secure bool
	// Binary is the executable. Never nil.
	Binary Binary
	// Files are the files that the process sees. Never nil.
	Files Files
}

// Binary answers questions about one ELF file. What is missing, damaged or too large answers as empty.
type Binary interface {
	// Interp is the path of the dynamic loader, "" for a static executable.
	Interp() string
	// Needed lists the sonames of the libraries that it asks for.
	Needed() []string
	// HasSections is false when the section table was removed.
	HasSections() bool
	HasSection(name string) bool
	// Section returns at most limit bytes from the start of a section.
	Section(name string, limit int) []byte
	// Data returns at most limit bytes at a virtual address as linked.
	Data(addr uint64, limit int) []byte
	// WritableData returns at most limit bytes from the start of each writable segment, one behind the other;
	// each starts at a multiple of 16.
	WritableData(limit int) []byte
	// Exports says whether the dynamic symbol is defined in it.
	Exports(symbol string) bool
	// Find returns the first place of mark in the first limit bytes of read-only data, with up to after
	// bytes that follow it; nil if there is none. It reads the file: ask cheaper questions first.
	Find(mark string, after, limit int) []byte
	// FindFunc is Find for a mark that occurs elsewhere too: it returns the first place that accept agrees to.
	FindFunc(mark string, after, limit int, accept func(found []byte) bool) []byte
}

// Files reads files as the process sees them: inside its root, regular files only.
type Files interface {
	// Read returns at most limit bytes from the start of a file.
	Read(path string, limit int64) ([]byte, error)
	// Binary opens an ELF file, for example a library of Maps. Never nil: an unreadable one answers as empty.
	Binary(path string) Binary
}

// KeepEnv says of which environment variables detection needs the value: those that make a runtime load
// something. All others may hold secrets and are never read.
func KeepEnv(name string) bool {
	return slices.Contains(keptEnv, name)
}

var keptEnv = []string{
	"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS",
	"PYTHONPATH", "NODE_OPTIONS", "RUBYOPT", "LD_PRELOAD",
	"CORECLR_ENABLE_PROFILING", "CORECLR_PROFILER", "CORECLR_PROFILER_PATH", "CORECLR_PROFILER_PATH_64",
	"DOTNET_STARTUP_HOOKS",
	"OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED",
}

// ExeName is the executable's file name.
func (p Process) ExeName() string { return base(p.Exe) }

// Mapped returns the first mapped file whose file name starts with prefix.
func (p Process) Mapped(prefix string) (file string, ok bool) {
	return p.MappedFunc(func(name string) bool { return strings.HasPrefix(name, prefix) })
}

// MappedFunc returns the first mapped file whose file name is accepted.
func (p Process) MappedFunc(accept func(name string) bool) (file string, ok bool) {
	for _, file := range p.Maps {
		if accept(base(file)) {
			return file, true
		}
	}
	return "", false
}

func base(file string) string {
	if file == "" {
		return ""
	}
	return path.Base(file)
}

// Arg returns argument i, or "".
func (p Process) Arg(i int) string {
	if i < len(p.Args) {
		return p.Args[i]
	}
	return ""
}

// LeadingVersion cuts a version number from the start of s: digits and dots, at most three numbers.
// "3.11" of "3.11.so", "17.0.15" of "17.0.15+6", "" of "x".
func LeadingVersion(s string) string {
	end, dots := 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			end = i + 1
		case c == '.' && i > 0 && s[i-1] != '.' && dots < 2:
			dots++
		default:
			return s[:end]
		}
	}
	return s[:end]
}

// ExportsByEnv says whether the environment configures an OpenTelemetry trace exporter.
func (p Process) ExportsByEnv() bool {
	if strings.EqualFold(p.Env["OTEL_SDK_DISABLED"], "true") {
		return false
	}
	if exporter, ok := p.Env["OTEL_TRACES_EXPORTER"]; ok {
		return exporter != "" && exporter != "none"
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		if _, ok := p.Env[name]; ok {
			return true
		}
	}
	return false
}

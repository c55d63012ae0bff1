package identity

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/odi-dev/odi/internal/telemetry"
)

// Host is what is known of a process outside of Kubernetes.
type Host struct {
	Hostname    string
	PID         int
	Start       uint64
	Exe         string
	Args        []string
	Env         map[string]string
	ContainerID string
	Language    string
}

// OfHost names the service of a process on a plain host: by its environment,
// else by the program it runs.
func OfHost(h Host) Service {
	named := FromEnv(h.Env)
	s := Service{
		Name:       cmp.Or(named.Service, ProgramName(h.Exe, h.Args)),
		Namespace:  named.Namespace,
		Version:    named.Version,
		InstanceID: h.Hostname + ":" + strconv.Itoa(h.PID) + ":" + strconv.FormatUint(h.Start, 10),
		Language:   h.Language,
		Attributes: []Attribute{
			{Key: telemetry.HostName, Value: h.Hostname},
			{Key: telemetry.ContainerID, Value: h.ContainerID},
		},
	}
	return s
}

// interpreters run a program that their arguments name.
var interpreters = []string{"python", "node", "ruby", "java", "php", "dotnet", "perl", "bun", "deno"}

// ProgramName is what people call a process: the script or jar of an
// interpreter, else the file name of the executable.
func ProgramName(exe string, args []string) string {
	name := path.Base(exe)
	for _, i := range interpreters {
		rest, ok := strings.CutPrefix(name, i)
		if ok && strings.Trim(rest, "0123456789.") == "" {
			return cmp.Or(script(i, args), name)
		}
	}
	return name
}

// script finds the program among an interpreter's arguments.
func script(interpreter string, args []string) string {
	for i := 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case takesValue(interpreter, arg):
			i++
		case namesProgram(arg) && i+1 < len(args):
			return programOf(args[i+1])
		case isProgram(arg):
			return "" // a program without a name
		case !strings.HasPrefix(arg, "-") && arg != "":
			return programOf(arg)
		}
	}
	return ""
}

// namesProgram says whether the next argument is the program: a module or an archive.
func namesProgram(option string) bool { return option == "-m" || option == "-jar" }

// isProgram says whether the program itself is among the arguments, or comes from a pipe.
func isProgram(option string) bool { return option == "-c" || option == "-e" || option == "-" }

// valueOptions are the options of each interpreter that are followed by their value.
var valueOptions = map[string][]string{
	"java":   {"-cp", "-classpath", "--class-path", "--module-path", "-p"},
	"python": {"-W", "-X"},
	"node":   {"-r", "--require", "--import"},
	"php":    {"-S", "-t", "-d", "-c"},
	"ruby":   {"-I", "-r", "-C"},
}

// takesValue says whether an option is followed by its value.
func takesValue(interpreter, option string) bool {
	return slices.Contains(valueOptions[interpreter], option)
}

// programOf takes the folder and the ending off: recommender of
// /app/recommender.py, Inventory of com.example.Inventory.
func programOf(arg string) string {
	name := path.Base(arg)
	for _, ending := range []string{".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".jar", ".php", ".dll", ".pl"} {
		if cut, ok := strings.CutSuffix(name, ending); ok {
			return cut
		}
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 && i < len(name)-1 && !strings.Contains(arg, "/") {
		return name[i+1:]
	}
	return name
}

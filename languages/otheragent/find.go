package otheragent

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/odi-dev/odi/languages/language"
)

// Find lists the agents that are in a process of a language, sorted by name.
func Find(p language.Process, of language.Name) []language.Agent {
	var found []language.Agent
	places := slices.DeleteFunc(append(options(p, of), libraries(p)...), isOurs)
	for _, v := range vendors {
		if slices.ContainsFunc(places, v.isIn) {
			found = append(found, language.Agent{Name: v.name, Loaded: true})
		}
	}
	// Programs in Go say with their module list whether there is an SDK at all; see the Go room.
	if len(found) == 0 && of != language.Go && p.ExportsByEnv() && !isInjected(p) {
		found = append(found, language.Agent{Name: "opentelemetry"})
	}
	return found
}

// ours is where odi's own agents lie in a container; see language.Root.
var ours = regexp.MustCompile(`(^|[:=/])/?odi/(java|python|nodejs|dotnet)/[^/]+/agent(/|$)`)

// isOurs says whether a place is one of odi's own agents, whatever that is made of.
func isOurs(place string) bool { return ours.MatchString(place) }

// isInjected says whether the settings that agents export by are odi's. An SDK of the
// application's own says so by itself; see odiglet/handover.
func isInjected(p language.Process) bool {
	_, injected := p.Env["ODI_AGENT"]
	return injected
}

// vendor is recognised by a part of a path, of a package's name or of a profiler's id. Everything is compared
// in lower case.
type vendor struct {
	name  string
	marks []string
}

// vendors in the order of their names.
var vendors = []vendor{
	{"appdynamics", []string{"appdynamics", "appagent/javaagent.jar", "appserveragent"}},
	{"datadog", []string{"dd-java-agent", "ddtrace", "dd-trace", "datadog", "{846f5f1c-f9ae-4b07-969e-05c26bc060d8}"}},
	{"dynatrace", []string{"liboneagent", "dynatrace"}},
	{"elastic", []string{"elastic-apm", "elasticapm", "elastic_apm", "elastic-otel"}},
	{"instana", []string{"instana"}},
	{"newrelic", []string{"newrelic", "new_relic", "new-relic"}},
	{"opentelemetry", []string{
		"opentelemetry", "aws-distro", "applicationinsights-agent", "{918728dd-259f-4a6a-ac2b-b85e1b658318}",
	}},
	{"pinpoint", []string{"pinpoint-bootstrap"}},
	{"scouter", []string{"scouter.agent"}},
	{"skywalking", []string{"skywalking"}},
	{"splunk", []string{"splunk-otel", "splunk_otel", "@splunk/otel", "signalfx"}},
}

func (v vendor) isIn(place string) bool {
	return slices.ContainsFunc(v.marks, func(mark string) bool { return strings.Contains(place, mark) })
}

// options collects what tells the runtime of a language to load something, in lower case. The same variables
// mean nothing to other languages, and an application's own arguments mean nothing at all: a program may be
// called datadog-exporter.
func options(p language.Process, of language.Name) []string {
	var found []string
	add := func(options ...string) {
		for _, o := range options {
			found = append(found, strings.ToLower(o))
		}
	}
	switch of {
	case language.Java:
		env := strings.Fields(p.Env["JAVA_TOOL_OPTIONS"] + " " + p.Env["JDK_JAVA_OPTIONS"] + " " + p.Env["_JAVA_OPTIONS"])
		add(javaAgents(append(env, p.Args...))...)
	case language.Python:
		add(strings.Split(p.Env["PYTHONPATH"], ":")...)
		add(wrapper(p.Args))
	case language.Nodejs:
		add(strings.Fields(p.Env["NODE_OPTIONS"])...)
		add(required(p.Args)...)
	case language.Dotnet:
		add(strings.Split(p.Env["DOTNET_STARTUP_HOOKS"], ":")...)
		if p.Env["CORECLR_ENABLE_PROFILING"] == "1" {
			add(p.Env["CORECLR_PROFILER"], p.Env["CORECLR_PROFILER_PATH"], p.Env["CORECLR_PROFILER_PATH_64"])
		}
	case language.Ruby:
		add(p.Env["RUBYOPT"])
		add(required(p.Args)...)
	}
	if !p.Secure {
		add(p.Env["LD_PRELOAD"])
	}
	return found
}

// libraries are the mapped code files, in lower case. Directories count (.../site-packages/ddtrace/...), but
// only of code: a data file may be called anything.
func libraries(p language.Process) []string {
	var found []string
	for _, file := range p.Maps {
		name := path.Base(file)
		if strings.Contains(name, ".so") || strings.HasSuffix(name, ".node") || strings.HasSuffix(name, ".jar") || strings.HasSuffix(name, ".dll") {
			found = append(found, strings.ToLower(file))
		}
	}
	return found
}

func javaAgents(args []string) []string {
	var agents []string
	for _, arg := range args {
		if strings.HasPrefix(arg, "-javaagent:") || strings.HasPrefix(arg, "-agentpath:") {
			file, _, _ := strings.Cut(arg, "=") // what follows are the agent's own options
			agents = append(agents, file)
		}
	}
	return agents
}

// wrapper returns the launcher that starts a Python program under an agent: the interpreter's first argument
// is a script like /usr/local/bin/ddtrace-run. Most launchers replace themselves and stay visible in
// PYTHONPATH only.
func wrapper(args []string) string {
	const scriptAt = 1
	if len(args) <= scriptAt {
		return ""
	}
	switch name := path.Base(args[scriptAt]); name {
	case "ddtrace-run", "newrelic-admin", "opentelemetry-instrument", "splunk-py-trace":
		return name
	}
	return ""
}

// required returns what -r, --require, --import and -r<name> load before the program; it ends at the program.
func required(args []string) []string {
	var found []string
	for i := 1; i < len(args) && strings.HasPrefix(args[i], "-"); i++ {
		switch flag, value, joined := strings.Cut(args[i], "="); {
		case strings.HasPrefix(flag, "-r") && len(flag) > len("-r"):
			found = append(found, flag)
		case flag != "-r" && flag != "--require" && flag != "--import":
		case joined:
			found = append(found, value)
		case i+1 < len(args):
			i++
			found = append(found, args[i])
		}
	}
	return found
}

package program

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

var python = family{exes: []string{"python", "pypy"}, name: nameOfPython}

// uwsgi has Python built in.
var uwsgi = family{exes: []string{"uwsgi", "uwsgi-core"}, name: func(c context) string {
	return cmp.Or(pythonServers["uwsgi"](c, c.words), "uwsgi")
}}

// pythonOptions are those of CPython 3.14 (python3 --help).
var pythonOptions = grammar{
	together: true, letters: "WX", values: []string{"--check-hash-based-pycs"},
	modules: []string{"-m"}, code: []string{"-c"},
}

// pythonTools run what their arguments name: a script, -m and a module, or a command.
var pythonTools = map[string]grammar{
	"ddtrace-run":                {},
	"opentelemetry-instrument":   {flags: []string{}},
	"newrelic-admin":             {},
	"pdb":                        {values: []string{"-c"}, modules: []string{"-m"}},
	"cProfile":                   {values: []string{"-o", "-s"}, modules: []string{"-m"}},
	"debugpy":                    {values: []string{"--listen", "--connect", "--configure-subProcess", "--log-to"}, modules: []string{"-m"}},
	"coverage":                   {values: []string{"--rcfile", "--source", "--data-file", "--omit", "--include", "--context", "--concurrency"}, modules: []string{"-m"}},
	"memray":                     {values: []string{"-o", "--output"}, modules: []string{"-m"}},
	"runpy":                      {},
	"watchmedo":                  {values: []string{"-d", "--directory", "-p", "--pattern", "--patterns"}},
	"multiprocessing.forkserver": {code: []string{"-c"}},
}

// toolCommands are sub-commands of these tools in front of what is run.
var toolCommands = []string{"run", "run-program", "auto-restart"}

func nameOfPython(c context) string {
	if title := c.title(); title != "" {
		return title
	}
	return c.python(pythonOptions.find(c.words), 0)
}

// python names what Python runs; depth counts tools in tools.
func (c context) python(f found, depth int) string {
	var name, server string
	switch f.kind {
	case file:
		name = withoutEnding(f.word)
		server = name
	case module:
		name = f.word
		server, _, _ = strings.Cut(name, ".") // gunicorn.app.wsgiapp
	default:
		return ""
	}
	if tool, ok := pythonTools[name]; ok && depth < maxWraps {
		return cmp.Or(c.pythonTool(tool, f.rest, depth), name)
	}
	if serve, ok := pythonServers[server]; ok {
		return cmp.Or(serve(c, f.rest), server)
	}
	if f.kind == module {
		return c.moduleName(name)
	}
	return c.orPlace(name, f.word)
}

// pythonTool names what a tool runs. Empty: the arguments do not tell.
func (c context) pythonTool(tool grammar, args []string, depth int) string {
	f := tool.find(args)
	if f.kind == file && slices.Contains(toolCommands, f.word) {
		f = tool.find(f.rest)
	}
	return c.python(f, depth+1)
}

// moduleName is the module without a generic tail: shop of shop.__main__, but
// shop.web as it is.
func (c context) moduleName(module string) string {
	parts := strings.Split(module, ".")
	for len(parts) > 1 && slices.Contains(generic, parts[len(parts)-1]) && parts[len(parts)-1] != "server" {
		parts = parts[:len(parts)-1]
	}
	return c.orPlace(strings.Join(parts, "."), module)
}

// pythonServers serve an application that their arguments name. Empty: they do not say.
var pythonServers = map[string]func(c context, args []string) string{
	"gunicorn":       servesApp(grammar{flags: gunicornFlags}),
	"uvicorn":        servesApp(grammar{flags: uvicornFlags}),
	"hypercorn":      servesApp(grammar{flags: []string{"-h", "--help", "-D", "--daemon", "--debug", "--reload"}}),
	"daphne":         servesApp(grammar{flags: []string{"-h", "--help", "--proxy-headers", "--no-server-name"}}),
	"granian":        servesApp(grammar{flags: []string{"--help", "--reload", "--no-ws", "--ws", "--access-log", "--no-access-log"}}),
	"waitress-serve": servesApp(grammar{flags: []string{"--help", "--call", "--expose-tracebacks", "--no-expose-tracebacks"}}),
	"waitress":       servesApp(grammar{flags: []string{"--help", "--call"}}),
	"uwsgi":          servesApp(grammar{flags: []string{"--master", "--enable-threads", "--http-keepalive", "--die-on-term", "--need-app"}}),
	"celery":         celeryApp,
	"flask":          flaskApp,
	"fastapi":        fastapiApp,
	"django-admin":   projectDir,
	"django":         projectDir,
	"streamlit":      fastapiApp,
}

var gunicornFlags = []string{
	"-h", "--help", "-v", "--version", "--reload", "--spew", "--check-config", "--print-config", "--preload", "--no-sendfile", "--reuse-port",
	"-D", "--daemon", "--initgroups", "--disable-redirect-access-to-syslog", "--capture-output", "--log-syslog", "-R",
	"--enable-stdio-inheritance", "--enable-backlog-metric", "--suppress-ragged-eofs", "--do-handshake-on-connect",
	"--permit-obsolete-folding", "--strip-header-spaces", "--permit-unconventional-http-method", "--permit-unconventional-http-version",
	"--casefold-http-method", "--no-control-socket", "--proxy-protocol",
}

var uvicornFlags = []string{
	"--reload", "--http2", "--access-log", "--no-access-log", "--use-colors", "--no-use-colors", "--proxy-headers", "--no-proxy-headers",
	"--server-header", "--no-server-header", "--date-header", "--no-date-header", "--version", "--reset-contextvars", "--factory", "--help",
}

// appReference is how servers name an application: shop.wsgi:application.
var appReference = regexp.MustCompile(`^([\pL_][\pL\pN_]*(?:\.[\pL_][\pL\pN_]*)*)(?::[\pL_].*)?$`)

// servesApp names the application of a server by its reference, or by --name.
func servesApp(g grammar) func(context, []string) string {
	return func(c context, args []string) string {
		f := g.find(args)
		if name := f.option("--name", "-n", "--procname"); name != "" && !strings.HasPrefix(name, "-") {
			return name
		}
		word := f.word
		if f.kind != file {
			word = f.option("--module", "-w", "--wsgi", "--wsgi-file")
		}
		return c.appName(word)
	}
}

// appName is the module of an application; where it is as generic as app:app, the project's folder.
func (c context) appName(reference string) string {
	if strings.HasSuffix(reference, ".py") {
		return c.notGeneric(c.orPlace(withoutEnding(reference), reference))
	}
	found := appReference.FindStringSubmatch(reference)
	if found == nil {
		return ""
	}
	return c.notGeneric(c.moduleName(found[1]))
}

// notGeneric leaves out what says less than the server's own name.
func (c context) notGeneric(name string) string {
	if slices.Contains(generic, name) {
		return ""
	}
	return name
}

func celeryApp(c context, args []string) string {
	g := grammar{values: []string{"-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config", "--workdir", "-c", "-n", "-Q", "-l", "-P"}}
	f := g.find(args)
	for app := f.option("-A", "--app"); ; app = f.option("-A", "--app") { // also behind the sub-command, until version 5
		if app != "" || f.kind != file {
			return c.appName(app)
		}
		f = g.find(f.rest)
	}
}

func flaskApp(c context, args []string) string {
	g := grammar{values: []string{"-A", "--app", "-e", "--env-file"}}
	if app := c.appName(g.find(args).option("-A", "--app")); app != "" {
		return app
	}
	return c.dir()
}

// fastapiApp names what "fastapi run main.py" and the like run.
func fastapiApp(c context, args []string) string {
	g := grammar{values: []string{"--host", "--port", "--app", "--root-path", "--workers", "-e", "--entrypoint"}}
	f := g.find(args)
	if f.kind == file && (f.word == "run" || f.word == "dev") {
		f = g.find(f.rest)
	}
	if f.kind != file {
		return c.dir()
	}
	return c.notGeneric(c.orPlace(withoutEnding(f.word), f.word))
}

func projectDir(c context, _ []string) string { return c.dir() }

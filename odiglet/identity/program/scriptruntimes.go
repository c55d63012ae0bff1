package program

import (
	"cmp"
	"slices"
)

var deno = family{exes: []string{"deno"}, name: nameOfDeno}

// denoOptions are those of Deno 2 that take the next word (deno run --help=full);
// permissions, --inspect, --watch and --v8-flags take only what is joined.
var denoOptions = grammar{
	values: []string{
		"--cert", "--conditions", "--ext", "--host", "--import-map", "--inspect-publish-uid", "--location", "--lock", "--min-dep-age",
		"--node-modules-linker", "--port", "--preload", "--require", "--seed", "-c", "--config", "-L", "--log-level", "--cwd", "--tunnel",
	},
	code: []string{"-e", "--eval"},
}

func nameOfDeno(c context) string {
	f := denoOptions.find(c.words)
	if f.kind != file {
		return ""
	}
	switch f.word {
	case "run", "serve", "watch":
		f = denoOptions.find(f.rest)
		if f.kind != file {
			return c.nodePackage()
		}
	case "task", "start":
		return c.nodePackage()
	case "eval", "repl", "test", "bench", "fmt", "lint", "check", "install", "compile", "cache", "jupyter", "lsp", "add", "x":
		return ""
	}
	return c.scriptName(f.word)
}

// scriptName names a script as Node.js's are, also one of a registry or the network.
func (c context) scriptName(script string) string {
	name := withoutEnding(script)
	if slices.Contains(generic, name) {
		if told := c.packageName(script); told != "" {
			return told
		}
	}
	return c.orPlace(name, script)
}

var bun = family{exes: []string{"bun", "bunx", "bun-profile"}, name: nameOfBun}

// bunOptions are those of Bun 1.3 that take the next word (bun --help, bun run --help).
var bunOptions = grammar{
	values: []string{
		"-r", "--preload", "--require", "--import", "--cpu-prof-name", "--cpu-prof-dir", "--cpu-prof-interval", "--heap-prof-name", "--heap-prof-dir",
		"--heap-prof-interval", "--install", "--port", "--conditions", "--fetch-preconnect", "--max-http-header-size", "--dns-result-order",
		"--redirect-warnings", "--disable-warning", "--title", "--unhandled-rejections", "--console-depth", "--user-agent", "--cron-title",
		"--cron-period", "--main-fields", "--extension-order", "--tsconfig-override", "-d", "--define", "--drop", "--feature", "-l", "--loader",
		"--jsx-factory", "--jsx-fragment", "--jsx-import-source", "--jsx-runtime", "--env-file", "--cwd", "-c", "--config", "-F", "--filter",
		"--shell", "--elide-lines", "--watch-kill-signal",
	},
	code: []string{"-e", "--eval", "-p", "--print"},
}

// bunCommands do not run a program of the user.
var bunCommands = []string{"install", "i", "add", "remove", "update", "test", "build", "init", "create", "upgrade", "repl", "link", "pm", "publish", "outdated", "exec"}

func nameOfBun(c context) string {
	f := bunOptions.find(c.words)
	if f.kind == file && (f.word == "run" || f.word == "x") {
		f = bunOptions.find(f.rest)
	}
	switch {
	case f.kind != file:
		return f.option("--title")
	case slices.Contains(bunCommands, f.word):
		return ""
	case withoutEnding(f.word) == f.word && c.files != nil && !slices.Contains([]string{"/", "."}, f.word[:1]):
		return cmp.Or(f.option("--title"), c.nodePackage(), f.word) // a script of package.json: bun run start
	}
	return cmp.Or(f.option("--title"), c.scriptName(f.word))
}

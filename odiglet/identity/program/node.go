package program

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

var node = family{exes: []string{"node", "nodejs", "iojs"}, name: nameOfNode}

// nodeOptions are those of Node.js 20 to 24 that take the next word (node --help);
// --inspect and V8's own take only what is joined.
var nodeOptions = grammar{
	values: []string{
		"-r", "--require", "--import", "-C", "--conditions", "--env-file", "--env-file-if-exists", "--loader", "--experimental-loader",
		"--allow-fs-read", "--allow-fs-write", "--build-snapshot-config", "--cpu-prof-dir", "--cpu-prof-interval", "--cpu-prof-name",
		"--debug-port", "--inspect-port", "--inspect-publish-uid", "--diagnostic-dir", "--disable-proto", "--disable-warning",
		"--dns-result-order", "--experimental-default-type", "--experimental-policy", "--experimental-sea-config", "--heap-prof-dir",
		"--heap-prof-interval", "--heap-prof-name", "--heapsnapshot-near-heap-limit", "--heapsnapshot-signal", "--icu-data-dir", "--input-type",
		"--localstorage-file", "--max-http-header-size", "--network-family-autoselection-attempt-timeout", "--openssl-config",
		"--policy-integrity", "--redirect-warnings", "--report-directory", "--report-dir", "--report-filename", "--report-signal",
		"--secure-heap", "--secure-heap-min", "--snapshot-blob", "--test-concurrency", "--test-name-pattern", "--test-reporter",
		"--test-reporter-destination", "--test-shard", "--test-timeout", "--title", "--tls-cipher-list", "--tls-keylog", "--tls-max", "--tls-min",
		"--trace-event-categories", "--trace-event-file-pattern", "--trace-require-module", "--unhandled-rejections", "--use-largepages",
		"--v8-pool-size", "--watch-path", "--stack-trace-limit",
	},
	modules: []string{"--run"},
	code:    []string{"-e", "--eval", "-p", "--print", "-pe"},
}

// nodeTools run the script that their arguments name; their options with values.
var nodeTools = map[string]grammar{
	"tsx":             {values: []string{"--tsconfig", "--import", "-r", "--require"}},
	"ts-node":         {values: []string{"-P", "--project", "-r", "--require", "-C", "--compiler", "-O", "--compiler-options", "-I", "--ignore", "--cwd"}, code: []string{"-e", "--eval", "-p", "--print"}},
	"ts-node-esm":     {values: []string{"-P", "--project"}},
	"ts-node-dev":     {values: []string{"-P", "--project", "-r", "--require", "--ignore-watch", "--watch"}},
	"babel-node":      {values: []string{"-r", "--require", "--config-file", "-x", "--presets"}},
	"nodemon":         {values: []string{"-w", "--watch", "-e", "--ext", "-x", "--exec", "-i", "--ignore", "-d", "--delay", "--config", "-s", "--signal"}},
	"node-dev":        {},
	"vite-node":       {values: []string{"-c", "--config", "-m", "--mode"}},
	"pm2-runtime":     {values: []string{"--name", "-i", "--instances"}},
	"forever":         {},
	"dotenv":          {values: []string{"-e", "-v", "-p"}},
	"env-cmd":         {values: []string{"-f", "--file", "-e", "--environments"}},
	"cross-env":       {},
	"npx":             {values: []string{"-p", "--package"}},
	"cross-env-shell": {},
}

// nodePackages are package managers and frameworks: what runs is the package that
// they are called in.
var nodePackages = []string{
	"npm", "yarn", "pnpm", "corepack", "next", "next-server", "nuxt", "nuxi", "nest", "vite", "astro", "remix", "remix-serve", "react-router-serve",
	"strapi", "gatsby", "ng", "react-scripts", "vue-cli-service", "serverless", "turbo", "nx", "concurrently", "lerna", "webpack", "fastify",
	"sails", "gulp", "pm2", "node",
}

// nodeEntries are scripts that many tools begin with; the tool's package says which one it is.
var nodeEntries = []string{"cli", "index", "bin", "run", "main"}

func nameOfNode(c context) string {
	words := c.words
	if title := c.titleWords(); title != nil {
		return c.nodeScript(title[0], title[1:], 0) // "npm start": npm writes what it does over its command line
	}
	f := nodeOptions.find(words)
	switch {
	case f.kind == module: // --run: a script of package.json
		return c.nodePackage()
	case f.kind == file && f.word == "inspect":
		f = nodeOptions.find(f.rest)
	}
	if f.kind != file {
		return f.option("--title")
	}
	return cmp.Or(f.option("--title"), c.nodeScript(f.word, f.rest, 0))
}

// nodeScript names a script, and what it runs where it is a tool; depth counts tools in tools.
func (c context) nodeScript(script string, args []string, depth int) string {
	if base := path.Base(script); base == "." || base == ".." { // a folder stands for its index.js
		script = path.Join(script, "index.js")
	}
	name := nodeScriptName(script)
	if tool, ok := nodeTools[name]; ok && depth < maxWraps {
		return cmp.Or(c.nodeTool(tool, args, depth), name)
	}
	if slices.Contains(nodePackages, name) {
		return cmp.Or(c.nodePackage(), name)
	}
	if slices.Contains(generic, strings.ToLower(name)) {
		if told := c.packageName(script); told != "" && !slices.Contains(nobodys, told) {
			return told
		}
	}
	return c.orPlace(name, script)
}

// nodeScriptName is what a script is called: by its file, or by its tool.
func nodeScriptName(script string) string {
	name := strings.TrimSuffix(withoutEnding(script), "-cli")
	if slices.Contains(nodeEntries, name) {
		return cmp.Or(toolOf(script), name)
	}
	return name
}

// nodeTool names what a tool runs: a script, or a command line of its own.
func (c context) nodeTool(tool grammar, args []string, depth int) string {
	f := tool.find(args)
	if f.kind == file && (f.word == "watch" || f.word == "start") {
		f = tool.find(f.rest)
	}
	command := withoutAssignments(f.command())
	if len(command) == 0 || command[0] == "" {
		return ""
	}
	if command[0] == "--" && len(command) > 1 {
		command = command[1:]
	}
	if called := withoutVersion(path.Base(command[0])); called == "node" || called == "nodejs" {
		return nameOfNode(context{words: command[1:], argv0: command[0], files: c.files})
	}
	return c.nodeScript(command[0], command[1:], depth+1)
}

// nodePackage is the name of the package around the working directory, or else of its folder.
func (c context) nodePackage() string {
	return cmp.Or(c.packageName("package.json"), c.dir())
}

// toolOf is the package of a script below node_modules: tsx of .../node_modules/tsx/dist/cli.mjs.
func toolOf(script string) string {
	_, inside, ok := cutLast(script, "node_modules/")
	if !ok {
		return ""
	}
	name, rest, _ := strings.Cut(inside, "/")
	if strings.HasPrefix(name, "@") {
		name, _, _ = strings.Cut(rest, "/")
	}
	return name
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

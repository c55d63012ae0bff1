package program

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
)

// generic are names that say nothing of a service: half of all services have one
// of them. The folder of the program is asked instead, and if that says nothing
// either (it is /app, a temporary one ...), the name stays.
var generic = []string{
	"index", "main", "app", "application", "server", "start", "run", "www", "cli", "wsgi", "asgi", "manage", "__main__", "__init__",
	"bootstrap", "entrypoint", "launcher", "program", "artisan", "console", "config", "boot", "startup", "default", "root", "service",
	"cmd", "celery", "celery_app", "create_app", "router",
}

// structural are folders inside a project, which are left for the one above them.
var structural = []string{
	"dist", "build", "src", "lib", "libs", "bin", "sbin", "public", "out", "target", "release", "debug", "publish", "htdocs", "html", "web", "www",
	"server", "app", "api", "cmd", "config", "scripts", "current", "releases", "shared", "node_modules", ".bin", ".output", ".next",
	"venv", ".venv", "env", "site-packages", "esm", "cjs", "main", "java", "classes", "quarkus-app", "libs-release", "server-dist",
}

// nobodys are folders that hold projects or files of many kinds, or are the usual
// place of one in a container; what is directly in them says nothing.
var nobodys = []string{
	"app", "apps", "srv", "opt", "usr", "var", "etc", "home", "root", "code", "work", "workspace", "workdir", "project", "projects", "repo",
	"data", "mnt", "media", "run", "tmp", "local", "share", "site", "sites", "service", "services", "function", "application", "deployments", "git", "python", "node",
}

// oddFolder is a folder that was not named by a person: a version, a time, a hash, a temporary one.
var oddFolder = regexp.MustCompile(`^(v?[0-9][0-9.T_-]*|[0-9a-f]{7,}|tmp[._-].*|.*\.tmp|go-build.*|[^\pL]*)$`)

// orPlace returns the name unless it is generic and the place of the program, a
// file or a folder, tells a better one.
func (c context) orPlace(name, at string) string {
	if !slices.Contains(generic, strings.ToLower(name)) {
		return name
	}
	if better := c.place(path.Dir(c.absolute(at))); better != "" {
		return better
	}
	return name
}

// absolute is a path as the process means it; empty if that cannot be told.
func (c context) absolute(at string) string {
	if path.IsAbs(at) || c.files == nil {
		return path.Clean(at)
	}
	dir := c.files.Dir()
	if dir == "" {
		return ""
	}
	return path.Join(dir, at)
}

// dir is the name of the project in the working directory.
func (c context) dir() string {
	if c.files == nil {
		return ""
	}
	return c.place(c.files.Dir())
}

// place names the project that a folder belongs to.
func (c context) place(dir string) string {
	for path.IsAbs(dir) && dir != "/" {
		above, name := path.Dir(dir), path.Base(dir)
		// A home is no project, and what lies in the folder of temporary files was named by a program.
		if above == "/home" || above == "/tmp" || above == "/var/tmp" || dir == "/root" {
			return ""
		}
		lower := strings.ToLower(name)
		switch {
		case slices.Contains(structural, lower), oddFolder.MatchString(name):
		case slices.Contains(nobodys, lower):
			return ""
		default:
			return name
		}
		dir = above
	}
	return ""
}

// maxAbove bounds how far above a script its package.json is looked for.
const maxAbove = 5

// packageName is the name in the package.json that a script belongs to.
func (c context) packageName(script string) string {
	if c.files == nil {
		return ""
	}
	dir := path.Dir(c.absolute(script))
	for range maxAbove {
		if !path.IsAbs(dir) {
			return ""
		}
		if text := c.files.Read(path.Join(dir, "package.json")); text != nil {
			var manifest struct{ Name string }
			// An error leaves the name empty.
			_ = json.Unmarshal(text, &manifest)
			if manifest.Name == "" {
				return ""
			}
			return path.Base(manifest.Name) // without the scope: @shop/orders
		}
		if dir == "/" {
			return ""
		}
		dir = path.Dir(dir)
	}
	return ""
}

// withoutEnding takes the folder and the ending of a source or a program off.
func withoutEnding(file string) string {
	name := path.Base(file)
	for _, ending := range []string{
		".py", ".pyc", ".pyz", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".rb", ".ru", ".jar", ".war", ".java",
		".php", ".phar", ".dll", ".exe", ".pl", ".psgi", ".sh", ".bash", ".exs", ".ex", ".csproj", ".fsproj", ".cs",
	} {
		if cut, ok := strings.CutSuffix(name, ending); ok && cut != "" {
			return cut
		}
	}
	return name
}

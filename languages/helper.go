package languages

import (
	"path"
	"strings"

	"github.com/odi-dev/odi/languages/language"
)

// helpers are the executables that run beside an application: shells, init programs, supervisors.
var helpers = map[string]bool{
	"sh": true, "ash": true, "bash": true, "dash": true, "zsh": true, "ksh": true,
	"tini": true, "tini-static": true, "dumb-init": true, "docker-init": true, "catatonit": true, "pause": true,
	"s6-svscan": true, "s6-supervise": true, "s6-linux-init-shutdownd": true, "runsv": true, "runsvdir": true,
	"su": true, "sudo": true, "gosu": true, "su-exec": true, "setpriv": true, "timeout": true, "env": true,
	"sleep": true, "tail": true, "cat": true, "tee": true, "cron": true, "crond": true, "systemd": true,
	"logrotate": true, "rsyslogd": true, "conmon": true, "inotifywait": true,
	"flock": true, "nohup": true, "nice": true, "xargs": true, "stdbuf": true,
}

// supervisors are scripts of an interpreter that only start other programs.
var supervisors = map[string]bool{"supervisord": true, "npm": true, "npm-cli.js": true, "yarn": true, "yarn.js": true, "pnpm": true}

func isHelper(p language.Process) bool {
	name := p.ExeName()
	if name == "busybox" { // it is what it is called as
		name = path.Base(strings.TrimPrefix(p.Arg(0), "-"))
	}
	if helpers[name] {
		return true
	}
	// npm rewrites its command line to "npm start" in one argument.
	title, _, _ := strings.Cut(p.Arg(0), " ")
	return supervisors[title] || len(p.Args) > 1 && supervisors[path.Base(p.Arg(1))]
}

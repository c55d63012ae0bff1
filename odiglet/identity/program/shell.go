package program

import (
	"cmp"
	"path"
	"slices"
)

var shell = family{exes: []string{"sh", "bash", "dash", "zsh", "ash", "ksh", "fish"}, name: nameOfShell}

var shellOptions = grammar{together: true, letters: "Oo", values: []string{"--rcfile", "--init-file"}, code: []string{"-c"}}

// nameOfShell is a script's name. What is behind -c is text, which a program that it
// starts will tell better.
func nameOfShell(c context) string {
	if f := shellOptions.find(c.words); f.kind == file {
		return c.orPlace(withoutEnding(f.word), f.word)
	}
	return ""
}

// multicall are executables that are many programs, by the name they are called by.
var multicall = []string{"busybox", "coreutils", "toybox", "uutils"}

// nameOfApplet names one of the many programs.
func (c context) nameOfApplet(exe string) string {
	called := path.Base(c.argv0)
	if slices.Contains(multicall, called) || c.argv0 == "" || c.wraps >= maxWraps {
		return exe
	}
	c.wraps++
	return c.told(called)
}

// wrapper is a program that runs another one and stays, or is seen before it
// becomes the other one.
type wrapper struct {
	grammar
	// skip is how many words come before the command: a user, a duration.
	skip int
}

var wrappers = map[string]wrapper{
	"env":          {grammar: grammar{values: []string{"-u", "--unset", "-C", "--chdir", "-S", "--split-string", "-a", "--argv"}}},
	"tini":         {grammar: grammar{values: []string{"-p", "-e"}}},
	"tini-static":  {grammar: grammar{values: []string{"-p", "-e"}}},
	"docker-init":  {grammar: grammar{values: []string{"-p", "-e"}}},
	"dumb-init":    {grammar: grammar{values: []string{"-r", "--rewrite"}}},
	"catatonit":    {},
	"gosu":         {skip: 1},
	"su-exec":      {skip: 1},
	"sudo":         {grammar: grammar{values: []string{"-u", "--user", "-g", "--group", "-h", "--host", "-p", "--prompt", "-C", "-D", "--chdir", "-R", "--chroot", "-T", "-U", "-r", "-t"}}},
	"doas":         {grammar: grammar{values: []string{"-u", "-C"}}},
	"setpriv":      {grammar: grammar{values: []string{"--ambient-caps", "--inh-caps", "--bounding-set", "--ruid", "--euid", "--rgid", "--egid", "--reuid", "--regid", "--groups", "--securebits", "--selinux-label", "--apparmor-profile", "--pdeathsig"}}},
	"runuser":      {grammar: grammar{values: []string{"-u", "--user", "-g", "--group"}}},
	"nice":         {grammar: grammar{values: []string{"-n", "--adjustment"}}},
	"ionice":       {grammar: grammar{values: []string{"-c", "--class", "-n", "--classdata"}}},
	"chrt":         {grammar: grammar{values: []string{"-T", "-P", "-D"}}, skip: 1},
	"taskset":      {skip: 1},
	"numactl":      {grammar: grammar{values: []string{"-m", "-N", "-C", "-i", "-p"}}},
	"nohup":        {},
	"setsid":       {},
	"stdbuf":       {grammar: grammar{values: []string{"-i", "-o", "-e", "--input", "--output", "--error"}}},
	"timeout":      {grammar: grammar{values: []string{"-k", "--kill-after", "-s", "--signal"}}, skip: 1},
	"chpst":        {grammar: grammar{values: []string{"-u", "-U", "-b", "-/", "-n", "-e", "-l", "-L", "-m", "-d", "-o", "-p", "-f", "-c", "-r", "-t"}}},
	"unshare":      {grammar: grammar{values: []string{"-S", "-G", "--setuid", "--setgid", "-R", "-w"}}},
	"strace":       {grammar: grammar{values: []string{"-e", "-o", "-p", "-s", "-a", "-E", "-u"}}},
	"catchsegv":    {},
	"exec":         {},
	"poetry":       {},
	"pipenv":       {},
	"uv":           {grammar: grammar{values: []string{"--with", "--python", "-p", "--project", "--directory", "--extra", "--group", "--env-file", "--package"}}},
	"s6-setuidgid": {skip: 1},
	"with-contenv": {},
}

// runners run another program by the sub-command run.
var runners = []string{"poetry", "pipenv", "uv"}

// unwrap names what a wrapper runs; the wrapper itself where that cannot be told.
func (c context) unwrap(w wrapper, exe string) string {
	if c.wraps >= maxWraps {
		return exe
	}
	command := w.command(c.words, exe)
	if len(command) == 0 || command[0] == "" {
		return exe
	}
	inner := context{argv0: command[0], words: command[1:], files: c.files, wraps: c.wraps + 1}
	called := path.Base(command[0])
	return cmp.Or(inner.told(called), called)
}

// command is what a wrapper runs by its words; empty if they do not tell.
func (w wrapper) command(words []string, exe string) []string {
	command := withoutAssignments(w.find(words).command())
	if len(command) > 0 && command[0] == "run" && slices.Contains(runners, exe) {
		command = w.find(command[1:]).command()
	}
	command = command[min(w.skip, len(command)):]
	if len(command) > 0 && command[0] == "--" {
		return command[1:]
	}
	return command
}

package program

import (
	"cmp"
	"slices"
	"strings"
)

var ruby = family{exes: []string{"ruby", "jruby", "truffleruby"}, name: nameOfRuby}

// rubyOptions are those of Ruby 3.4 (ruby --help); -0, -F, -i, -l, -T, -W and -x
// take only what is joined.
var rubyOptions = grammar{
	together: true, letters: "CEIr", joined: "0FiTWxK",
	values: []string{"--encoding", "--external-encoding", "--internal-encoding", "--backtrace-limit"},
	code:   []string{"-e"},
}

// rubyServers serve the application of the folder that they are called in.
var rubyServers = map[string]grammar{
	"puma":          {values: []string{"-b", "--bind", "-C", "--config", "--control-url", "--control-token", "--dir", "-e", "--environment", "-I", "--include", "-p", "--port", "--pidfile", "-S", "--state", "-t", "--threads", "-w", "--workers", "--tag"}},
	"rails":         {},
	"rackup":        {values: []string{"-s", "--server", "-o", "--host", "-p", "--port", "-O", "-E", "--env", "-P", "--pid", "-r", "-I", "-e", "-b"}},
	"unicorn":       {values: []string{"-c", "--config-file", "-l", "--listen", "-p", "-o", "-E", "--env", "-I", "-r"}},
	"thin":          {values: []string{"-a", "-p", "-S", "-A", "-R", "-c", "-C", "-e", "-t", "-s", "-P", "-l", "-u", "-g"}},
	"falcon":        {},
	"passenger":     {},
	"sidekiq":       {values: []string{"-c", "--concurrency", "-C", "--config", "-e", "--environment", "-g", "--tag", "-q", "--queue", "-r", "--require", "-t", "--timeout"}},
	"resque":        {},
	"good_job":      {},
	"rake":          {},
	"shoryuken":     {},
	"unicorn_rails": {},
}

// rubyRunners run another program within what a Gemfile names.
var rubyRunners = []string{"bundle", "bundler", "spring"}

func nameOfRuby(c context) string {
	if title := c.title(); title != "" {
		return title
	}
	if words := c.titleWords(); words != nil { // "puma 6.4.0 ...", "unicorn master -c config.rb"
		return c.rubyTitle(words[0])
	}
	f := rubyOptions.find(c.words)
	if f.kind != file {
		return ""
	}
	return c.rubyScript(f.word, f.rest)
}

// rubyTitle names a server whose title tells no application.
func (c context) rubyTitle(server string) string {
	if _, ok := rubyServers[server]; ok {
		return cmp.Or(c.dir(), server)
	}
	return ""
}

func (c context) rubyScript(script string, args []string) string {
	name := withoutEnding(script)
	if slices.Contains(rubyRunners, name) {
		return c.rubyRunner(name, args)
	}
	if server, ok := rubyServers[name]; ok {
		return cmp.Or(c.rubyServer(server, args), name)
	}
	return c.orPlace(name, script)
}

// rubyRunner names what a runner runs; the runner itself where that cannot be told.
func (c context) rubyRunner(runner string, args []string) string {
	f := (&grammar{values: []string{"--gemfile"}}).find(args)
	if f.kind == file && f.word == "exec" {
		f = (&grammar{}).find(f.rest)
	}
	if f.kind != file || f.word == "" {
		return runner
	}
	return c.rubyCommand(f.word, f.rest)
}

// rubyServer names the application of a server: by its tag, or by the folder of its config.ru.
func (c context) rubyServer(server grammar, args []string) string {
	f := server.find(args)
	dir := c.dir()
	if slash := strings.LastIndexByte(f.word, '/'); f.kind == file && slash >= 0 && strings.HasSuffix(f.word, ".ru") {
		dir = c.place(c.absolute(f.word[:slash]))
	}
	return cmp.Or(f.option("--tag"), dir)
}

// rubyCommand is what bundler runs: ruby and its script, a program of a gem, or any other.
func (c context) rubyCommand(word string, args []string) string {
	name := withoutEnding(word)
	if _, ok := rubyServers[name]; ok || strings.HasSuffix(word, ".rb") || c.wraps >= maxWraps {
		return c.rubyScript(word, args)
	}
	if name == "ruby" {
		return nameOfRuby(context{argv0: word, words: args, files: c.files, wraps: c.wraps + 1})
	}
	return c.rubyScript(word, args)
}

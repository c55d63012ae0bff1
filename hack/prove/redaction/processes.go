package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// script has an interpreter ask for a page; %u is the page.
type script struct{ file, text string }

var scripts = []script{
	{"ask.py", "import sys, urllib.request\nurllib.request.urlopen(sys.argv[1]).read()\n"},
	{"gunicorn", "import sys, urllib.request\nurllib.request.urlopen(sys.argv[-1]).read()\n"},
	{"ask.js", "require('http').get(process.argv[2], r => r.resume())\n"},
	{"ask.rb", "require 'net/http'\nNet::HTTP.get(URI(ARGV[0]))\n"},
	{"ask.php", "<?php file_get_contents($argv[1]);\n"},
	{"ask.sh", "curl -s \"$1\"\n"},
}

// started runs a program with arguments and variables that hold the secret. %d is the folder of
// the scripts, %u the page.
func started(env string, words ...string) func(*world, string) error {
	return func(w *world, secret string) error {
		in := strings.NewReplacer("%s", secret, "%d", w.dir, "%u", "http://"+w.http+"/orders")
		args := make([]string, len(words))
		for i, word := range words {
			args[i] = in.Replace(word)
		}
		path, err := exec.LookPath(args[0])
		if err != nil {
			return err
		}
		cmd := &exec.Cmd{Path: path, Args: args, Env: os.Environ()}
		if env != "" {
			cmd.Env = append(cmd.Env, in.Replace(env))
		}
		return cmd.Run()
	}
}

func writeScripts(dir string) error {
	for _, s := range scripts {
		if err := os.WriteFile(filepath.Join(dir, s.file), []byte(s.text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

const (
	curl = "curl"
	py   = "/usr/bin/python3"
)

func processPlaces() []place {
	return []place{
		{name: "process: variable", put: started("DATABASE_URL=postgres://alice:%s@db/shop", curl, "-s", "%u")},
		{name: "process: header for telemetry", put: started("OTEL_EXPORTER_OTLP_HEADERS=api-key=%s", curl, "-s", "%u")},
		{name: "process: user and password of curl", put: started("", curl, "-s", "-u", "alice:%s", "-b", "session=%s", "-H", "X-Api-Key: %s", "%u?token=%s")},
		{name: "process: data of curl", put: started("", curl, "-s", "-d", "password=%s", "%u")},
		{name: "process: option", put: started("", py, "%d/ask.py", "%u", "--token=%s", "--password", "%s")},
		{name: "process: option of the interpreter", put: started("", py, "-X", "%s", "%d/ask.py", "%u")},
		{name: "process: code", put: started("", py, "-c", "import urllib.request; token = '%s'; urllib.request.urlopen('%u').read()")},
		{name: "process: factory of a server", put: started("", py, "%d/gunicorn", "shop.wsgi:create(token='%s')", "--env", "TOKEN=%s", "%u")},
		{name: "process: factory of a server, with a bare argument", put: started("", py, "%d/gunicorn", "-e", "A=%s", "-b", ":1", "create('%s')", "%u")},
		{name: "process: node", put: started("", "node", "--title=x", "%d/ask.js", "%u", "--token=%s")},
		{name: "process: code of node", put: started("", "node", "-e", "const token = '%s'; require('http').get('%u', r => r.resume())")},
		{name: "process: ruby", put: started("", "ruby", "%d/ask.rb", "%u", "%s")},
		{name: "process: code of ruby", put: started("", "ruby", "-rnet/http", "-e", "token = '%s'; Net::HTTP.get(URI('%u'))")},
		{name: "process: php", put: started("", "php", "-d", "mysqli.default_pw=%s", "%d/ask.php", "%u", "%s")},
		{name: "process: code of php", put: started("", "php", "-r", "$token = '%s'; file_get_contents('%u');")},
		{name: "process: shell", put: started("", "sh", "-c", "TOKEN=%s; curl -s '%u'")},
		{name: "process: variable in front of a command", put: started("", "sh", "-c", "TOKEN=%s exec curl -s '%u'")},
		{name: "process: shell script", put: started("", "sh", "%d/ask.sh", "%u", "%s")},
		{name: "process: env", put: started("", "env", "TOKEN=%s", curl, "-s", "%u")},
		{name: "process: perl", put: started("", "perl", "-e", "my $token = '%s'; exec 'curl', '-s', '%u'")},
		{name: "process: timeout", put: started("", "timeout", "20", "env", "A=%s", py, "%d/ask.py", "%u", "%s")},
		{name: "process: what it calls itself", put: started("", "bash", "-c", "exec -a 'worker --token=%s' curl -s '%u'")},
	}
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/odi-dev/odi/hack/cluster/cache"
	"github.com/odi-dev/odi/hack/images/build"
)

// The ways in which an application is measured. Plain is what the OpenTelemetry Operator injects: the agents of
// the language's own packages with their defaults.
const (
	without = "none"
	ebpf    = "ebpf"
	agent   = "agent"
	plain   = "plain"
)

var ways = []string{without, ebpf, agent, plain}

// application is one service that answers a request with a word.
type application struct {
	language string
	what     string // For people.
	path     string // Of the smallest request.
	warm     int64  // Requests before those that are measured: compilers in the process need them.
	dir      string // Of the program and of the plain agent.
	odi      string // Of odi's agent.
	command  func(a application, port string) *exec.Cmd
	env      func(a application, way string) []string
}

// applications are those of the suite, still without their folders.
var applications = map[string]application{
	"java": {
		what: "Spring Boot 4, JDK 17", path: "/stock/1", warm: 20_000,
		command: func(a application, port string) *exec.Cmd {
			return exec.Command("java", "-jar", a.dir+"/app/shop.jar", "--server.port="+port)
		},
		env: func(a application, way string) []string {
			jar := map[string]string{agent: a.odi + "/opentelemetry-javaagent.jar", plain: a.dir + "/plain/opentelemetry-javaagent-2.33.1.jar"}
			return []string{"JAVA_TOOL_OPTIONS=-javaagent:" + jar[way]}
		},
	},
	"python": {
		what: "Flask in gunicorn, CPython 3.11, one worker", path: "/leaf/1", warm: 500,
		command: func(a application, port string) *exec.Cmd {
			cmd := exec.Command(a.dir+"/app/venv/bin/python", "-m", "gunicorn", "-b", "127.0.0.1:"+port, "-w", "1", "--threads", "4", "flask_app:app")
			cmd.Dir = a.dir + "/app"
			return cmd
		},
		env: func(a application, way string) []string {
			if way == agent {
				return []string{"PYTHONPATH=" + a.odi + "/boot", "OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "OTEL_SEMCONV_STABILITY_OPT_IN=http,database"}
			}
			return []string{
				"PYTHONPATH=" + a.dir + "/plain/opentelemetry/instrumentation/auto_instrumentation:" + a.dir + "/plain",
				"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_TRACES_EXPORTER=otlp", "OTEL_METRICS_EXPORTER=otlp", "OTEL_LOGS_EXPORTER=otlp",
			}
		},
	},
	"nodejs": {
		what: "Express, Node.js 24", path: "/leaf", warm: 5_000,
		command: func(a application, port string) *exec.Cmd {
			cmd := exec.Command(a.dir+"/runtimes/node_modules/node24/bin/node", a.dir+"/app/server.cjs", "express")
			cmd.Env = []string{"PORT=" + port}
			return cmd
		},
		env: func(a application, way string) []string {
			if way == agent {
				return []string{"NODE_OPTIONS=--require " + a.odi + "/boot.cjs"}
			}
			return []string{
				"NODE_OPTIONS=--require " + a.dir + "/plain/node_modules/@opentelemetry/auto-instrumentations-node/dist/register.cjs",
				"OTEL_METRICS_EXPORTER=otlp", "OTEL_NODE_RESOURCE_DETECTORS=env,host,os,process", // The clouds' would ask the network.
			}
		},
	},
}

var agentScripts = map[string]string{
	"java": "agents/java/build.sh", "python": "agents/python/build.sh", "nodejs": "agents/nodejs/build-0.82.sh",
}

// prepare fetches and builds what an application needs, unless the cache has it.
func prepare(language string) (application, error) {
	a := applications[language]
	a.language = language
	store, err := cache.Default()
	if err != nil {
		return a, err
	}
	root, err := cloneRoot()
	if err != nil {
		return a, err
	}
	if a.odi, err = (build.Builder{Root: root, Cache: store}).Tree(context.Background(), agentScripts[language]); err != nil {
		return a, err
	}
	own := filepath.Join(root, "hack/bench/plain")
	inputs, err := cache.Files(own, filepath.Join(root, "agents", language, "testdata"))
	if err != nil {
		return a, err
	}
	a.dir, err = store.Make("bench/"+language, cache.Key(inputs...), func(dir string) error {
		cmd := exec.Command(filepath.Join(own, "make.sh"), language, dir)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		return cmd.Run()
	})
	if err != nil {
		return a, fmt.Errorf("preparing the application in %s: %w", language, err)
	}
	return a, nil
}

// cloneRoot is the folder of go.mod, above the current one or that itself.
func cloneRoot() (string, error) {
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; at != "/"; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
	}
	return "", fmt.Errorf("finding the clone: no go.mod here or above")
}

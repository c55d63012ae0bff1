package languages_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/languages"
	"github.com/odi-dev/odi/languages/language"
)

func TestCombine(t *testing.T) {
	shell := language.Runtime{Language: language.C, Libc: language.Glibc, Helper: true}
	java := language.Runtime{Language: language.Java, Version: "17.0.15", Libc: language.Glibc}
	golang := language.Runtime{Language: language.Go, Version: "1.26.8", Libc: language.Static}
	nginx := language.Runtime{Language: language.C, Server: "nginx", Libc: language.Glibc, EventLoop: true}
	php := language.Runtime{Language: language.PHP, Version: "8.2.29", Libc: language.Glibc}
	supervisor := language.Runtime{Language: language.Python, Version: "3.11.2", Libc: language.Glibc, Helper: true}
	python := func(version string) language.Runtime {
		return language.Runtime{Language: language.Python, Version: version, Libc: language.Glibc}
	}
	with := func(rt language.Runtime, secure bool, agents ...language.Agent) language.Runtime {
		rt.Secure, rt.Agents = secure, agents
		return rt
	}
	tests := map[string]struct {
		processes []language.Runtime
		want      language.Runtime
	}{
		"none":                               {nil, language.Runtime{}},
		"nothing known":                      {[]language.Runtime{{Libc: language.Glibc}}, language.Runtime{}},
		"a shell that started Java":          {[]language.Runtime{shell, java}, java},
		"a shell alone":                      {[]language.Runtime{shell}, shell},
		"a launcher in Go that started Java": {[]language.Runtime{golang, java}, java},
		"nginx before PHP":                   {[]language.Runtime{nginx, nginx, nginx, php}, php},
		"nginx and its shell":                {[]language.Runtime{shell, nginx}, nginx},
		"a supervisor of Go":                 {[]language.Runtime{supervisor, golang}, golang},
		"the version of most":                {[]language.Runtime{python("3.12.1"), python("3.9.2"), python("3.9.2")}, python("3.9.2")},
		"else the higher version":            {[]language.Runtime{python("3.9.2"), python("3.11.2")}, python("3.11.2")},
		"traits of any process": {
			[]language.Runtime{
				with(java, false, language.Agent{Name: "opentelemetry"}),
				with(java, false, language.Agent{Name: "opentelemetry", Loaded: true}),
				with(shell, true, language.Agent{Name: "dynatrace", Loaded: true}),
			},
			with(java, true, language.Agent{Name: "dynatrace", Loaded: true}, language.Agent{Name: "opentelemetry", Loaded: true}),
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				if diff := cmp.Diff(tc.want, languages.Combine(tc.processes)); diff != "" {
					t.Fatalf("%+v (-want +got):\n%s", tc.processes, diff)
				}
				tc.processes = slices.Clone(tc.processes)
				rand.Shuffle(len(tc.processes), func(i, j int) {
					tc.processes[i], tc.processes[j] = tc.processes[j], tc.processes[i]
				})
			}
		})
	}
}

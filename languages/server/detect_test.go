package server_test

import (
	"testing"

	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/language/languagetest"
	"github.com/odi-dev/odi/languages/server"
)

func TestDetect(t *testing.T) {
	languagetest.Run(t, server.Language, map[string]languagetest.Case{
		"an application": {Process: language.Process{Exe: "/app/shop"}},
		"nginx":          {Process: language.Process{Exe: "/usr/sbin/nginx"}, Want: language.Runtime{Language: language.C, Server: "nginx", EventLoop: true}},
		"OpenResty":      {Process: language.Process{Exe: "/usr/local/openresty/nginx/sbin/nginx"}, Want: language.Runtime{Language: language.C, Server: "nginx", EventLoop: true}},
		"Envoy":          {Process: language.Process{Exe: "/usr/local/bin/envoy"}, Want: language.Runtime{Language: language.CPP, Server: "envoy", EventLoop: true}},
		"PostgreSQL":     {Process: language.Process{Exe: "/usr/lib/postgresql/15/bin/postgres"}, Want: language.Runtime{Language: language.C, Server: "postgres"}},
		"PostgreSQL with a procedure in Python": {
			Process: language.Process{Exe: "/usr/lib/postgresql/15/bin/postgres", Maps: []string{"/usr/lib/libpython3.11.so.1.0"}},
			Want:    language.Runtime{Language: language.C, Server: "postgres"},
		},
		"Apache alone":            {Process: language.Process{Exe: "/usr/sbin/apache2"}, Want: language.Runtime{Language: language.C, Server: "apache"}},
		"Apache that runs PHP":    {Process: language.Process{Exe: "/usr/sbin/apache2", Maps: []string{"/usr/lib/apache2/modules/libphp8.2.so"}}},
		"a Go server is Go's":     {Process: language.Process{Exe: "/usr/local/bin/etcd"}},
		"the linkerd proxy, Rust": {Process: language.Process{Exe: "/usr/lib/linkerd/linkerd2-proxy"}, Want: language.Runtime{Language: language.Rust, Server: "linkerd-proxy", Strict: true}},
	})
}

func TestName(t *testing.T) {
	tests := map[string]struct {
		process language.Process
		of      language.Name
		want    string
	}{
		"etcd":                         {language.Process{Exe: "/usr/local/bin/etcd"}, language.Go, "etcd"},
		"a Go program called nginx":    {language.Process{Exe: "/nginx"}, language.Go, ""},
		"Kafka":                        {language.Process{Exe: "/jdk/bin/java", Args: []string{"java", "-Xmx1g", "kafka.Kafka", "server.properties"}}, language.Java, "kafka"},
		"a Java client of Kafka":       {language.Process{Exe: "/jdk/bin/java", Args: []string{"java", "-jar", "kafka.Kafka.jar"}}, language.Java, ""},
		"an application":               {language.Process{Exe: "/app"}, language.Go, ""},
		"Kafka's class in a Go server": {language.Process{Exe: "/app", Args: []string{"kafka.Kafka"}}, language.Go, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := server.Name(tc.process, tc.of); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

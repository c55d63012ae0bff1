package languages_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/languages"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/language/languagetest"
)

const glibcLoader = "/lib64/ld-linux-x86-64.so.2"

func TestDetect(t *testing.T) {
	sections := map[string]string{".text": ""}
	dynamic := languagetest.Binary{Loader: glibcLoader, Sections: sections, Libraries: []string{"libc.so.6"}}
	tests := map[string]struct {
		process language.Process
		want    language.Runtime
	}{
		"a kernel thread": {language.Process{}, language.Runtime{Libc: language.LibcUnknown}},
		"C on glibc": {
			language.Process{Exe: "/app", Binary: dynamic},
			language.Runtime{Language: language.C, Libc: language.Glibc},
		},
		"C on Alpine": {
			language.Process{Exe: "/app", Binary: languagetest.Binary{Loader: "/lib/ld-musl-x86_64.so.1", Libraries: []string{"libc.musl-x86_64.so.1"}}},
			language.Runtime{Language: language.C, Libc: language.Musl},
		},
		"a glibc program that runs on musl": {
			language.Process{Exe: "/app", Binary: dynamic, Maps: []string{"/lib/ld-musl-x86_64.so.1", "/lib/libgcompat.so.0"}},
			language.Runtime{Language: language.C, Libc: language.Musl},
		},
		"a loader of its own": {
			language.Process{Exe: "/app", Binary: languagetest.Binary{Loader: "/lib/ld-uClibc.so.0"}},
			language.Runtime{Language: language.Native, Libc: language.LibcUnknown},
		},
		"a packed executable tells nothing": {
			language.Process{Exe: "/app", Maps: []string{"/app"}},
			language.Runtime{Language: language.Native, Libc: language.LibcUnknown},
		},
		"file capabilities": {
			language.Process{Exe: "/app", Binary: languagetest.Binary{Sections: sections}, Secure: true},
			language.Runtime{Language: language.Native, Libc: language.Static, Secure: true},
		},
		"a Go server is infrastructure": {
			language.Process{Exe: "/usr/bin/etcd", Binary: languagetest.Binary{Sections: map[string]string{".gopclntab": ""}}},
			language.Runtime{Language: language.Go, Server: "etcd", Libc: language.Static},
		},
		"a Go program called nginx is Go": {
			language.Process{Exe: "/nginx", Binary: languagetest.Binary{Sections: map[string]string{".gopclntab": ""}}},
			language.Runtime{Language: language.Go, Libc: language.Static},
		},
		"a shell": {
			language.Process{Exe: "/bin/dash", Args: []string{"/bin/sh", "-c", "x"}, Binary: dynamic},
			language.Runtime{Language: language.C, Libc: language.Glibc, Helper: true},
		},
		"busybox as a shell": {
			language.Process{Exe: "/bin/busybox", Args: []string{"-ash"}, Binary: dynamic},
			language.Runtime{Language: language.C, Libc: language.Glibc, Helper: true},
		},
		"busybox as a web server": {
			language.Process{Exe: "/bin/busybox", Args: []string{"/usr/sbin/httpd"}, Binary: dynamic},
			language.Runtime{Language: language.C, Libc: language.Glibc},
		},
		"supervisord": {
			language.Process{Exe: "/usr/bin/python3.11", Args: []string{"/usr/bin/python3", "/usr/bin/supervisord", "-n"}, Binary: dynamic},
			language.Runtime{Language: language.Python, Version: "3.11", Libc: language.Glibc, Helper: true},
		},
		"npm start": {
			language.Process{Exe: "/usr/bin/node", Args: []string{"npm start"}, Binary: dynamic},
			language.Runtime{Language: language.Nodejs, Libc: language.Glibc, Helper: true, Strict: true},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, languages.Detect(languagetest.Process(tc.process))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestVersionIsPlainText(t *testing.T) {
	for _, version := range []string{"1.27-" + strings.Repeat("x", 100), "1.2\x1b[31m", "1.2 or later", "-1"} {
		info := "\xff Go buildinf:\x08\x02" + strings.Repeat("\x00", 16) + string([]byte{byte(len(version) + 2)}) + "go" + version + "\x00"
		p := language.Process{Exe: "/app", Binary: languagetest.Binary{Sections: map[string]string{".go.buildinfo": info}}}
		got := languages.Detect(languagetest.Process(p))
		if got.Language != language.Go || strings.ContainsAny(got.Version, "\x1b ") || len(got.Version) > 63 || got.Version == "-1" {
			t.Errorf("from %q: got %q %q", version, got.Language, got.Version)
		}
	}
}

func TestRoomsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for _, room := range languages.All {
		if room.Name == "" || seen[room.Name] {
			t.Errorf("room %q has no name of its own", room.Name)
		}
		seen[room.Name] = true
	}
}

func TestFact(t *testing.T) {
	tests := map[string]struct {
		runtime language.Runtime
		want    odiv1.Runtime
	}{
		"nothing": {language.Runtime{}, odiv1.Runtime{}},
		"Go":      {language.Runtime{Language: language.Go, Version: "1.26.8", Libc: language.Static}, odiv1.Runtime{Language: "go", Version: "1.26.8", Libc: "static"}},
		"nginx":   {language.Runtime{Language: language.C, Server: "nginx", Libc: language.Glibc}, odiv1.Runtime{Language: "nginx", Libc: "glibc"}},
		"agents": {
			language.Runtime{Language: language.Java, Agents: []language.Agent{{Name: "datadog", Loaded: true}, {Name: "newrelic", Loaded: true}, {Name: "opentelemetry"}}},
			odiv1.Runtime{Language: "java", OtherAgent: "datadog,newrelic"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, languages.Fact(tc.runtime)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

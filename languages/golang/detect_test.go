package golang

import (
	"encoding/binary"
	"testing"

	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/language/languagetest"
)

func TestDetect(t *testing.T) {
	sdk := "\x00mark\x00path\tx\ndep\tgo.opentelemetry.io/otel/sdk\tv1.30.0\th1:x\n"
	endpoint := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": ""}
	otel := []language.Agent{{Name: "opentelemetry", Loaded: true}}
	languagetest.Run(t, Language, map[string]languagetest.Case{
		"C":                 {Process: process(nil)},
		"a release":         {Process: process(map[string]string{".go.buildinfo": inline("go1.26.8", "")}), Want: goRuntime("1.26.8")},
		"without a patch":   {Process: process(map[string]string{".go.buildinfo": inline("go1.21", "")}), Want: goRuntime("1.21")},
		"a candidate":       {Process: process(map[string]string{".go.buildinfo": inline("go1.22rc1", "")}), Want: goRuntime("1.22rc1")},
		"an experiment":     {Process: process(map[string]string{".go.buildinfo": inline("go1.21.5 X:boringcrypto", "")}), Want: goRuntime("1.21.5")},
		"from source":       {Process: process(map[string]string{".go.buildinfo": inline("devel go1.27-c0ffee Mon Jan", "")}), Want: goRuntime("1.27-c0ffee")},
		"wiped information": {Process: process(map[string]string{".go.buildinfo": "xxxx", ".gopclntab": ""}), Want: goRuntime("")},
		"no information":    {Process: process(map[string]string{".note.go.buildid": ""}), Want: goRuntime("")},
		"cut information":   {Process: process(map[string]string{".go.buildinfo": inline("go1.26.8", "")[:36]}), Want: goRuntime("")},
		"section table removed": {
			Process: language.Process{Exe: "/app", Binary: languagetest.Binary{Writable: string(make([]byte, 48)) + inline("go1.26.8", "")}},
			Want:    goRuntime("1.26.8"),
		},
		"the magic at an odd place is somebody's constant": {
			Process: language.Process{Exe: "/app", Binary: languagetest.Binary{Writable: "x" + inline("go1.26.8", "")}},
		},
		"before 1.18": {
			Process: language.Process{Exe: "/app", Binary: languagetest.Binary{
				Sections: map[string]string{".go.buildinfo": pointers(0x1000, 0)},
				Memory:   map[uint64]string{0x1000: words(0x2000, 8), 0x2000: "go1.17.3 and more"},
			}},
			Want: goRuntime("1.17.3"),
		},
		"OpenTelemetry's SDK that exports": {
			Process: with(process(map[string]string{".go.buildinfo": inline("go1.26.8", sdk)}), endpoint),
			Want:    language.Runtime{Language: language.Go, Version: "1.26.8", Agents: otel},
		},
		"OpenTelemetry's SDK that nobody configured": {
			Process: process(map[string]string{".go.buildinfo": inline("go1.26.8", sdk)}), Want: goRuntime("1.26.8"),
		},
		"OpenTelemetry configured without its SDK": {
			Process: with(process(map[string]string{".go.buildinfo": inline("go1.26.8", "")}), endpoint), Want: goRuntime("1.26.8"),
		},
		"Datadog's tracer": {
			Process: process(map[string]string{".go.buildinfo": inline("go1.26.8", "dep\tgithub.com/DataDog/dd-trace-go/v2\tv2.0.0\n")}),
			Want:    language.Runtime{Language: language.Go, Version: "1.26.8", Agents: []language.Agent{{Name: "datadog", Loaded: true}}},
		},
	})
}

func FuzzBuildInfo(f *testing.F) {
	f.Add([]byte(inline("go1.26.8", "dep\tx\n")))
	f.Add([]byte(pointers(0x1000, 0x1010)))
	f.Add([]byte(magic))
	f.Fuzz(func(_ *testing.T, b []byte) {
		for _, file := range []languagetest.Binary{
			{Sections: map[string]string{".go.buildinfo": string(b)}, Memory: map[uint64]string{0: string(b), 0x1000: string(b)}},
			{Writable: string(b)},
		} {
			detect(languagetest.Process(language.Process{Binary: file}))
		}
	})
}

func goRuntime(version string) language.Runtime {
	return language.Runtime{Language: language.Go, Version: version}
}

func process(sections map[string]string) language.Process {
	return language.Process{Exe: "/app", Binary: languagetest.Binary{Sections: sections}}
}

func with(p language.Process, env map[string]string) language.Process {
	p.Env = env
	return p
}

func inline(goVersion, modules string) string {
	b := append([]byte(magic), 8, flagStrings)
	b = append(b, make([]byte, headerSize-len(b))...)
	for _, s := range []string{goVersion, modules} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return string(b)
}

func pointers(version, modules uint64) string {
	return magic + "\x08\x00" + words(version, modules)
}

func words(a, b uint64) string {
	return string(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, a), b))
}

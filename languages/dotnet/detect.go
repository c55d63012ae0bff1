package dotnet

import (
	"bytes"
	"encoding/json"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/odi-dev/odi/languages/language"
)

// Language is the .NET room.
var Language = language.Language{Name: "dotnet", Detect: detect, Inject: inject}

// What the executables of .NET export for debuggers.
const (
	runtimeInside = "DotNetRuntimeInfo"        // single-file: the runtime is linked in
	compiledAhead = "DotNetRuntimeDebugHeader" // also NativeAOT, which has no runtime to load an agent into
)

func detect(p language.Process) (language.Runtime, bool) {
	rt := language.Runtime{Language: language.Dotnet, Strict: true}
	clr, loaded := p.MappedFunc(func(name string) bool { return name == "libcoreclr.so" })
	switch {
	case loaded:
		rt.Version = version(p, clr)
	case p.Binary.Exports(runtimeInside):
		rt.Version = textVersion(p.Binary)
	case p.Binary.Exports(compiledAhead) || p.Binary.HasSection("__managedcode"):
		rt.Compiled = true
	case p.ExeName() == "dotnet": // the runtime is mapped some milliseconds after exec
	default:
		return language.Runtime{}, false
	}
	return rt, true
}

func version(p language.Process, clr string) string {
	// .../shared/Microsoft.NETCore.App/8.0.11/libcoreclr.so
	if v := language.LeadingVersion(path.Base(path.Dir(clr))); strings.Count(v, ".") == 2 {
		return v
	}
	if v := configVersion(p, path.Dir(clr)); v != "" {
		return v
	}
	return textVersion(p.Files.Binary(clr))
}

type runtimeConfig struct {
	RuntimeOptions struct {
		IncludedFrameworks []struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		} `json:"includedFrameworks"`
	} `json:"runtimeOptions"`
}

// configVersion reads what a self-contained application says that it was published with: app.runtimeconfig.json
// is named after the application, which is the executable or the .dll on the command line.
func configVersion(p language.Process, dir string) string {
	const maxConfig, maxArgs = 64 << 10, 8
	names := []string{p.ExeName()}
	for _, arg := range p.Args[:min(len(p.Args), maxArgs)] {
		if app, ok := strings.CutSuffix(arg, ".dll"); ok {
			names = append(names, path.Base(app))
		}
	}
	for _, name := range names {
		b, err := p.Files.Read(path.Join(dir, name+".runtimeconfig.json"), maxConfig)
		var config runtimeConfig
		if err != nil || json.Unmarshal(b, &config) != nil {
			continue
		}
		for _, framework := range config.RuntimeOptions.IncludedFrameworks {
			if framework.Name == "Microsoft.NETCore.App" {
				return language.LeadingVersion(framework.Version)
			}
		}
	}
	return ""
}

var fileVersion = regexp.MustCompile(`^@\(#\)Version (\d{1,2})\.(\d{1,2})\.(\d{3,5})\.`)

// textVersion reads the file version inside the runtime, a variable. Since .NET 5 its third number is the
// patch times 100 plus the year of the build: 8.0.1124 is 8.0.11, built in 2024.
func textVersion(b language.Binary) string {
	const mark, maxData = "@(#)Version ", 4 << 20
	data := b.Section(".data", maxData)
	if data == nil {
		data = b.WritableData(maxData)
	}
	i := bytes.Index(data, []byte(mark))
	if i < 0 {
		return ""
	}
	m := fileVersion.FindSubmatch(data[i:])
	if m == nil {
		return ""
	}
	build, err := strconv.Atoi(string(m[3]))
	if err != nil {
		return ""
	}
	return string(m[1]) + "." + string(m[2]) + "." + strconv.Itoa(build/100)
}

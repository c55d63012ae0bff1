package dotnet_test

import (
	"testing"

	"github.com/odi-dev/odi/languages/dotnet"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/language/languagetest"
)

func TestDetect(t *testing.T) {
	const shared = "/usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.11/"
	config := `{"runtimeOptions":{"includedFrameworks":[{"name":"Microsoft.AspNetCore.App","version":"9.0.1"},{"name":"Microsoft.NETCore.App","version":"9.0.2"}]}}`
	languagetest.Run(t, dotnet.Language, map[string]languagetest.Case{
		"not .NET": {Process: language.Process{Exe: "/usr/bin/node", Maps: []string{"/app/my.dll"}}},
		"dotnet app.dll": {
			Process: language.Process{
				Exe: "/usr/share/dotnet/dotnet", Args: []string{"dotnet", "app.dll"},
				Maps: []string{shared + "System.Private.CoreLib.dll", shared + "libclrjit.so", shared + "libcoreclr.so"},
			},
			Want: runtime("8.0.11"),
		},
		"a preview": {
			Process: language.Process{Exe: "/app/shop", Maps: []string{"/dotnet/shared/Microsoft.NETCore.App/10.0.0-rc.1.25451.107/libcoreclr.so"}},
			Want:    runtime("10.0.0"),
		},
		"self-contained, by its configuration": {
			Process: language.Process{
				Exe: "/app/shop", Maps: []string{"/app/libcoreclr.so"},
				Files: languagetest.Files{Text: map[string]string{"/app/shop.runtimeconfig.json": config}},
			},
			Want: runtime("9.0.2"),
		},
		"self-contained, started by its .dll": {
			Process: language.Process{
				Exe: "/app/dotnet", Args: []string{"/app/dotnet", "/app/shop.dll"}, Maps: []string{"/app/libcoreclr.so"},
				Files: languagetest.Files{Text: map[string]string{"/app/shop.runtimeconfig.json": config}},
			},
			Want: runtime("9.0.2"),
		},
		"self-contained, by the runtime's text": {
			Process: language.Process{
				Exe: "/app/shop", Maps: []string{"/app/libcoreclr.so"},
				Files: languagetest.Files{
					Text:     map[string]string{"/app/shop.runtimeconfig.json": "{not json"},
					Binaries: map[string]languagetest.Binary{"/app/libcoreclr.so": {Writable: "xx@(#)Version 6.0.3624.51421 @Commit: 0123"}},
				},
			},
			Want: runtime("6.0.36"),
		},
		"version unknown": {Process: language.Process{Exe: "/app/shop", Maps: []string{"/app/libcoreclr.so"}}, Want: runtime("")},
		"single file": {
			Process: language.Process{Exe: "/app/shop", Binary: languagetest.Binary{
				Symbols:  []string{"DotNetRuntimeInfo", "DotNetRuntimeDebugHeader"},
				Sections: map[string]string{".data": "@(#)Version 8.0.1124.51707 @Commit: 0123"},
			}},
			Want: runtime("8.0.11"),
		},
		"NativeAOT": {
			Process: language.Process{Exe: "/app/shop", Binary: languagetest.Binary{Symbols: []string{"DotNetRuntimeDebugHeader"}}},
			Want:    language.Runtime{Language: language.Dotnet, Strict: true, Compiled: true},
		},
		"the host before it has loaded the runtime": {Process: language.Process{Exe: "/usr/bin/dotnet"}, Want: runtime("")},
	})
}

func runtime(version string) language.Runtime {
	return language.Runtime{Language: language.Dotnet, Version: version, Strict: true}
}

package nodejs

import (
	"path"
	"regexp"
	"strings"

	"github.com/odi-dev/odi/languages/language"
)

// Language is the Node.js room.
var Language = language.Language{Name: "nodejs", Detect: detect, Inject: inject, Agents: []language.Release{
	{Version: "0.82.0-odi.1", From: "22.15"},
	{Version: "0.81.2-odi.1", From: "20.6"},
	// 19 has no more releases, and the first ones of 20 lack what the agent needs.
	{Version: "0.81.2-odi.1", From: "18.19", Below: "19"},
}}

// start is node::Start(int, char**), which Node.js exports for embedders and add-ons.
const start = "_ZN4node5StartEiPPc"

func detect(p language.Process) (language.Runtime, bool) {
	lib, shared := p.Mapped("libnode.so")
	switch {
	case p.ExeName() == "bun" || p.ExeName() == "deno": // they imitate Node.js
		return language.Runtime{}, false
	case p.ExeName() != "node" && p.ExeName() != "nodejs" && !shared && !p.Binary.Exports(start):
		return language.Runtime{}, false
	}
	rt := language.Runtime{Language: language.Nodejs, Version: headerVersion(p.Files, p.Exe), Strict: true}
	if rt.Version == "" && shared {
		rt.Version = textVersion(p.Files.Binary(lib))
	}
	if rt.Version == "" {
		rt.Version = textVersion(p.Binary)
	}
	return rt, true
}

var defines = regexp.MustCompile(`(?m)^#define NODE_(MAJOR|MINOR|PATCH)_VERSION (\d+)`)

// headerVersion reads the header that every distribution of Node.js installs beside the executable. It
// spares reading 40 MiB of constants.
func headerVersion(files language.Files, exe string) string {
	const maxHeader = 64 << 10
	b, err := files.Read(path.Join(path.Dir(exe), "../include/node/node_version.h"), maxHeader)
	if err != nil {
		return ""
	}
	parts := map[string]string{}
	for _, m := range defines.FindAllSubmatch(b, -1) {
		parts[string(m[1])] = string(m[2])
	}
	if len(parts) < 3 {
		return ""
	}
	return strings.Join([]string{parts["MAJOR"], parts["MINOR"], parts["PATCH"]}, ".")
}

// textVersion finds the address of the release's own archive, which ends in node-v20.20.2.tar.gz.
func textVersion(b language.Binary) string {
	const mark, maxRead = "/node-v", 96 << 20
	found := b.FindFunc(mark, 16, maxRead, func(hit []byte) bool {
		return strings.Count(language.LeadingVersion(string(hit[len(mark):])), ".") == 2
	})
	if found == nil {
		return ""
	}
	return language.LeadingVersion(string(found[len(mark):]))
}

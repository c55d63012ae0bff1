package php

import (
	"regexp"
	"strings"

	"github.com/odi-dev/odi/languages/language"
)

// Language is the PHP room.
var Language = language.Language{Name: "php", Detect: detect}

var (
	exeName = regexp.MustCompile(`^(?:ls)?php(?:-fpm|-cgi|-cli)?-?(\d(?:\.?\d{1,2})?)?$`)
	library = regexp.MustCompile(`^(?:lib|mod_)php(\d(?:\.\d{1,2})?)?\.so`)
)

func detect(p language.Process) (language.Runtime, bool) {
	name := exeName.FindStringSubmatch(p.ExeName())
	lib, loaded := p.MappedFunc(library.MatchString)
	if name == nil && !loaded {
		return language.Runtime{}, false
	}
	interpreter := p.Binary
	if loaded {
		interpreter = p.Files.Binary(lib)
	}
	rt := language.Runtime{Language: language.PHP, Version: textVersion(interpreter)}
	if rt.Version == "" && name != nil {
		rt.Version = name[1]
	}
	return rt, true
}

// textVersion finds the header that PHP adds to responses: "X-Powered-By: PHP/8.2.29".
func textVersion(b language.Binary) string {
	const mark, maxRead = "X-Powered-By: PHP/", 32 << 20
	found := b.Find(mark, 16, maxRead)
	return language.LeadingVersion(strings.TrimPrefix(string(found), mark))
}

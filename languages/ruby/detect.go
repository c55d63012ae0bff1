package ruby

import (
	"path"
	"regexp"

	"github.com/odi-dev/odi/languages/language"
)

// Language is the Ruby room.
var Language = language.Language{Name: "ruby", Detect: detect}

var (
	exeName = regexp.MustCompile(`^ruby(\d\.\d{1,2})?$`)
	library = regexp.MustCompile(`^libruby(?:-?(\d\.\d{1,2}))?\.so(?:\.(\d\.\d{1,2}))?`)
)

func detect(p language.Process) (language.Runtime, bool) {
	name := exeName.FindStringSubmatch(p.ExeName())
	lib, shared := p.MappedFunc(library.MatchString)
	if name == nil && !shared {
		return language.Runtime{}, false
	}
	rt := language.Runtime{Language: language.Ruby}
	interpreter := p.Binary
	if shared {
		interpreter = p.Files.Binary(lib)
	}
	switch full := textVersion(interpreter); {
	case full != "":
		rt.Version = full
	case shared:
		m := library.FindStringSubmatch(path.Base(lib))
		rt.Version = m[1] + m[2]
		if m[1] != "" {
			rt.Version = m[1]
		}
	default:
		rt.Version = name[1]
	}
	return rt, true
}

var description = regexp.MustCompile(`^ruby (\d\.\d{1,2}\.\d{1,2})(?:p|dev|preview|rc| )`)

// textVersion finds the text of `ruby --version`: "ruby 3.1.2p20 (2022-04-12 revision ...".
func textVersion(b language.Binary) string {
	const maxRead = 16 << 20
	found := b.FindFunc("ruby ", 24, maxRead, description.Match)
	if found == nil {
		return ""
	}
	return string(description.FindSubmatch(found)[1])
}

package ruby_test

import (
	"testing"

	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/language/languagetest"
	"github.com/odi-dev/odi/languages/ruby"
)

func TestDetect(t *testing.T) {
	languagetest.Run(t, ruby.Language, map[string]languagetest.Case{
		"not Ruby":      {Process: language.Process{Exe: "/usr/bin/rubygems-mirror"}},
		"by name alone": {Process: language.Process{Exe: "/usr/bin/ruby2.7"}, Want: runtime("2.7")},
		"no version":    {Process: language.Process{Exe: "/usr/local/bin/ruby"}, Want: runtime("")},
		"Debian": {
			Process: language.Process{
				Exe: "/usr/bin/ruby3.1", Maps: []string{"/usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1.2"},
				Files: languagetest.Files{Binaries: map[string]languagetest.Binary{
					"/usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1.2": {ReadOnly: "ruby version ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86_64-linux-gnu]"},
				}},
			},
			Want: runtime("3.1.2"),
		},
		"since Ruby 3.4 there is no patch level": {
			Process: language.Process{Exe: "/usr/local/bin/ruby", Binary: languagetest.Binary{ReadOnly: "ruby 3.4.1 (2024-12-25 revision 48d4efcb85)"}},
			Want:    runtime("3.4.1"),
		},
		"the official image without text": {
			Process: language.Process{Exe: "/usr/local/bin/ruby", Maps: []string{"/usr/local/lib/libruby.so.3.3.0"}}, Want: runtime("3.3"),
		},
		"Passenger": {Process: language.Process{Exe: "/usr/sbin/apache2", Maps: []string{"/usr/lib/libruby-2.5.so.2.5.5"}}, Want: runtime("2.5")},
	})
}

func runtime(version string) language.Runtime {
	return language.Runtime{Language: language.Ruby, Version: version}
}

package php_test

import (
	"testing"

	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/language/languagetest"
	"github.com/odi-dev/odi/languages/php"
)

func TestDetect(t *testing.T) {
	header := languagetest.Binary{ReadOnly: "Status: 200\x00X-Powered-By: PHP/8.2.29\x00"}
	languagetest.Run(t, php.Language, map[string]languagetest.Case{
		"not PHP":       {Process: language.Process{Exe: "/usr/bin/phpize-tool"}},
		"FPM":           {Process: language.Process{Exe: "/usr/local/sbin/php-fpm", Binary: header}, Want: runtime("8.2.29")},
		"Debian's FPM":  {Process: language.Process{Exe: "/usr/sbin/php-fpm8.2", Binary: header}, Want: runtime("8.2.29")},
		"by name alone": {Process: language.Process{Exe: "/usr/bin/php7.4"}, Want: runtime("7.4")},
		"no version":    {Process: language.Process{Exe: "/usr/bin/php"}, Want: runtime("")},
		"LiteSpeed":     {Process: language.Process{Exe: "/usr/local/lsws/bin/lsphp", Binary: header}, Want: runtime("8.2.29")},
		"in Apache": {
			Process: language.Process{
				Exe: "/usr/sbin/apache2", Maps: []string{"/usr/lib/apache2/modules/libphp8.2.so"},
				Files: languagetest.Files{Binaries: map[string]languagetest.Binary{"/usr/lib/apache2/modules/libphp8.2.so": header}},
			},
			Want: runtime("8.2.29"),
		},
	})
}

func runtime(version string) language.Runtime {
	return language.Runtime{Language: language.PHP, Version: version}
}

package program

import (
	"cmp"
	"path"
)

var php = family{exes: []string{"php", "php-cgi", "frankenphp-cli"}, name: nameOfPHP}

// phpOptions are those of PHP 8 (php --help) with their long forms.
var phpOptions = grammar{
	together: true, letters: "cdStzg",
	values:  []string{"--php-ini", "--define", "--server", "--docroot", "--zend-extension", "--rf", "--rc", "--re", "--rz", "--ri"},
	modules: []string{"-f", "--file", "-F", "--process-file"},
	code:    []string{"-r", "--run", "-B", "--process-begin", "-R", "--process-code", "-E", "--process-end"},
}

// phpFPM has no application of its own: nginx names the scripts. Its title, with
// the pool in it, comes some time after the fork.
var phpFPM = family{exes: []string{"php-fpm"}, name: func(context) string { return "php-fpm" }}

func nameOfPHP(c context) string {
	f := phpOptions.find(c.words)
	server := f.option("-S", "--server") != ""
	docroot := f.option("-t", "--docroot")
	switch {
	case f.kind == file && server, f.kind == file, f.kind == module:
		return c.phpScript(f.word)
	case f.kind == code || !server:
		return ""
	case docroot != "":
		return c.place(c.absolute(docroot))
	}
	return c.dir()
}

// phpScript names a script; a command of a framework is the project's.
func (c context) phpScript(script string) string {
	name := withoutEnding(script)
	if name == "artisan" || name == "console" {
		return cmp.Or(c.place(path.Dir(c.absolute(script))), name)
	}
	return c.orPlace(name, script)
}

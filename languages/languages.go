package languages

import (
	"github.com/odi-dev/odi/languages/dotnet"
	"github.com/odi-dev/odi/languages/golang"
	"github.com/odi-dev/odi/languages/java"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/native"
	"github.com/odi-dev/odi/languages/nodejs"
	"github.com/odi-dev/odi/languages/others"
	"github.com/odi-dev/odi/languages/php"
	"github.com/odi-dev/odi/languages/python"
	"github.com/odi-dev/odi/languages/ruby"
	"github.com/odi-dev/odi/languages/server"
)

// All lists every room, in the order in which detection asks them. The first that recognises a process has it:
// what is certain comes first, what takes everything comes last.
var All = []language.Language{
	golang.Language, // build information cannot be met by chance
	server.Language, // before the interpreters: a database may load one for its procedures
	java.Language,
	dotnet.Language,
	nodejs.Language,
	php.Language, // before Python and Ruby: a web server that hosts several serves PHP
	python.Language,
	ruby.Language,
	others.Language,
	native.Language,
}

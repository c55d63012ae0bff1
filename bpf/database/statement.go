package database

import (
	"regexp"
	"strings"

	"github.com/DataDog/go-sqllexer"

	"github.com/odi-dev/odi/bpf/probe"
)

// TextMax bounds the text of a statement that a span has.
const TextMax = 1024

// nameMax bounds the names of tables.
const nameMax = 128

// Dialect is the one that a statement is written in.
type Dialect = sqllexer.DBMSType

// The dialects that rooms speak.
const (
	Postgres = sqllexer.DBMSPostgres
	MySQL    = sqllexer.DBMSMySQL
)

// Statement is what a span says of one.
type Statement struct {
	// Operation is SELECT, for example; empty where there is no word to tell.
	Operation string
	// Table is the only one that is named, else empty.
	Table string
	// Text has no literals and no comments.
	Text string
}

// Read takes the literals out of a statement. Of one that was cut, the last word may be
// the beginning of a literal: it is left out. One of which nobody knows where its literals end
// is taken for one that was cut at the first. It keeps nothing of the bytes.
func Read(raw []byte, cut bool, in Dialect) Statement {
	text := probe.Text(raw)
	if !cut {
		plain, ok := masked(text, in)
		if cut = !ok; ok {
			text = withoutSettings(plain)
		}
	}
	if cut {
		text = withoutSettings(withoutLast(text))
	}
	return said.of(text, cut, in, read)
}

// read says what a statement does whose literals and comments are gone, but for numbers.
func read(text string, cut bool, in Dialect) Statement {
	obfuscator := sqllexer.NewObfuscator(sqllexer.WithReplaceDigits(false), sqllexer.WithReplacePositionalParameter(false), sqllexer.WithReplaceBoolean(true), sqllexer.WithReplaceNull(false))
	normalizer := sqllexer.NewNormalizer(sqllexer.WithCollectTables(true), sqllexer.WithCollectCommands(true), sqllexer.WithCollectComments(false), sqllexer.WithKeepSQLAlias(true))
	plain, meta, err := sqllexer.ObfuscateAndNormalize(text, obfuscator, normalizer, sqllexer.WithDBMS(in))
	if err != nil {
		return Statement{}
	}
	s := Statement{Text: plain[:min(len(plain), TextMax)]}
	if cut {
		s.Text = strings.TrimRight(s.Text, " ") + " ..."
	}
	if len(meta.Commands) > 0 {
		s.Operation = strings.ToUpper(meta.Commands[0])
	} else if first, _, _ := strings.Cut(plain, " "); isWord(first) {
		s.Operation = strings.ToUpper(first)
	}
	// COPY t FROM STDIN is taken to read the table STDIN.
	if len(meta.Tables) == 1 && s.Operation != "COPY" && len(meta.Tables[0]) <= nameMax {
		s.Table = meta.Tables[0]
	}
	return s
}

// setting is the value of a setting, which needs no quotes.
var setting = regexp.MustCompile(`(?i)((?:^|;)\s*SET\b[^;=]*?(?:=|\sTO\s))[^;]*`)

// withoutSettings takes the values out of statements that set something.
func withoutSettings(text string) string {
	if !maySet(text) {
		return text
	}
	return setting.ReplaceAllString(text, "$1 '?'")
}

// maySet says whether one of the statements begins with SET: the expression takes its time.
func maySet(text string) bool {
	for {
		text = strings.TrimLeft(text, "\t\n\f\r ")
		if len(text) >= 3 && strings.EqualFold(text[:3], "SET") {
			return true
		}
		var more bool
		if _, text, more = strings.Cut(text, ";"); !more {
			return false
		}
	}
}

// withoutLast takes off what may be a part of a literal or a comment: in what was cut,
// everything from the first of them on, and the last word.
func withoutLast(text string) string {
	text = text[:firstLiteral(text)]
	if blank := strings.LastIndexAny(text, " \t\r\n(,;"); blank >= 0 {
		return text[:blank]
	}
	return ""
}

// firstLiteral is where the first literal or comment of a statement begins, its end
// where there is none. $1 is a parameter.
func firstLiteral(text string) int {
	for i := range len(text) {
		rest := text[i:]
		isParameter := len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9'
		if rest[0] == '\'' || rest[0] == '"' || rest[0] == '#' || rest[0] == '$' && !isParameter || strings.HasPrefix(rest, "--") || strings.HasPrefix(rest, "/*") {
			return i
		}
	}
	return len(text)
}

func isWord(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != "" && len(s) <= 20
}

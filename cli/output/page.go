package output

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/odi-dev/odi/cli/streams"
)

// Page is what is printed on: a terminal with a width and maybe colours, or anything
// else, where lines are as long as they are.
type Page struct {
	io.Writer
	// Width is 0 where there is no terminal.
	Width  int
	Colour bool
}

// Out is the page of results.
func Out(io streams.Streams) Page {
	return Page{Writer: io.Out, Width: io.OutWidth, Colour: io.OutTerminal}
}

// Colour is the number that switches it on.
type Colour string

// The colours.
const (
	Bold   Colour = "1"
	Faint  Colour = "2"
	Red    Colour = "31"
	Green  Colour = "32"
	Yellow Colour = "33"
)

// Paint colours a text where there are colours.
func (p Page) Paint(c Colour, text string) string {
	if !p.Colour || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// Line writes a text after what begins the line. Where it is too long for the terminal it
// goes on below itself. The beginning may be painted.
func (p Page) Line(begin, text string) {
	indent := utf8.RuneCountInString(unpainted(begin))
	fmt.Fprintln(p, strings.TrimRight(begin+strings.Join(Wrap(text, p.Width, indent), "\n"+strings.Repeat(" ", indent)), " "))
}

var painted = regexp.MustCompile(`\x1b\[[0-9]+m`)

func unpainted(text string) string { return painted.ReplaceAllString(text, "") }

// command is what a person may copy: it stays in one piece, with what comes after it.
var command = regexp.MustCompile(`^.{8,}?: ((?:odi|kubectl|helm|sudo odi) [a-z-].*)$`)

// leastRoom is the narrowest column that is worth having: in one that would be narrower, text is not broken.
const leastRoom = 20

// Wrap breaks a text into lines that leave room for an indent; 0 is no width. A command at
// its end is not broken: a terminal that breaks it still copies it as one line.
func Wrap(text string, width, indent int) []string {
	room := width - indent
	if width == 0 || room < leastRoom || utf8.RuneCountInString(text) <= room {
		return []string{text}
	}
	last := ""
	if found := command.FindStringSubmatchIndex(text); found != nil {
		text, last = text[:found[2]-1], text[found[2]:]
	}
	words := strings.Fields(text)
	if last != "" {
		words = append(words, last)
	}
	var lines []string
	line := ""
	for _, word := range words {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > room {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

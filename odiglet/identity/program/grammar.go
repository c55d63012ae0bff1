package program

import (
	"slices"
	"strings"
)

// grammar is how a program reads its options, up to the word that is no option.
// The options' own help is the source.
type grammar struct {
	// values take the next word as their value unless it is joined by "=".
	values []string
	// letters are short options that may be written together (-um); these take
	// the rest of their word as their value, else the next word.
	letters string
	// joined are short options that take the rest of their word only (-W2).
	joined string
	// together says that short options may be written together.
	together bool
	// flags turns it round: any long option but these takes a value.
	flags []string
	// modules name what is run: a module, a file.
	modules []string
	// code is the program itself, on the command line.
	code []string
}

// kind is what a grammar found.
type kind uint8

const (
	nothing kind = iota
	file         // the first word that is no option
	module       // the value of an option of modules
	code
)

// found is the program among the words.
type found struct {
	kind kind
	word string
	// rest follows the program: its own arguments.
	rest []string
	// options holds the last value of each option that had one, and "" for flags.
	options map[string]string
}

// find reads options until something names the program.
func (g *grammar) find(words []string) found {
	f := found{options: map[string]string{}}
	for i := 0; i < len(words) && f.kind == nothing; i++ {
		w := words[i]
		switch {
		case w == "":
		case w == "--":
			i++
			f.take(file, words, i)
		case w == "-":
			f.kind = code
		case w[0] != '-':
			f.take(file, words, i)
		case g.together && !strings.HasPrefix(w, "--"):
			i = g.readLetters(&f, words, i)
		default:
			i = g.readLong(&f, words, i)
		}
	}
	return f
}

// take ends the search at a word.
func (f *found) take(k kind, words []string, i int) {
	if i < len(words) {
		f.kind, f.word, f.rest = k, words[i], words[i+1:]
	}
}

// readLong reads an option that stands alone; it returns the last word read.
func (g *grammar) readLong(f *found, words []string, i int) int {
	name, value, joined := strings.Cut(words[i], "=")
	if !joined && g.takesValue(name) && i+1 < len(words) {
		i++
		value = words[i]
	}
	f.options[name] = value
	switch {
	case slices.Contains(g.code, name):
		f.kind = code
	case slices.Contains(g.modules, name):
		f.kind, f.word, f.rest = module, value, words[i+1:]
	}
	return i
}

func (g *grammar) takesValue(name string) bool {
	if g.flags != nil {
		isJoined := !strings.HasPrefix(name, "--") && len(name) > 2 // -w4
		return !isJoined && !slices.Contains(g.flags, name)
	}
	return slices.Contains(g.values, name) || slices.Contains(g.modules, name) || slices.Contains(g.code, name)
}

// readLetters reads short options that are written together; it returns the last word read.
func (g *grammar) readLetters(f *found, words []string, i int) int {
	w := words[i]
	for at := 1; at < len(w); at++ {
		option := "-" + w[at:at+1]
		isCode, isModule := slices.Contains(g.code, option), slices.Contains(g.modules, option)
		takes := isCode || isModule || strings.Contains(g.letters, w[at:at+1])
		switch {
		case strings.Contains(g.joined, w[at:at+1]):
			f.options[option] = w[at+1:]
			return i
		case !takes:
			f.options[option] = ""
			continue
		}
		value := strings.TrimPrefix(w[at+1:], "=")
		if w[at+1:] == "" && i+1 < len(words) {
			i++
			value = words[i]
		}
		f.options[option] = value
		switch {
		case isCode:
			f.kind = code
		case isModule:
			f.kind, f.word, f.rest = module, value, words[i+1:]
		}
		return i
	}
	return i
}

// command is the program and its own arguments; empty where no word names it.
func (f found) command() []string {
	if f.kind != file {
		return nil
	}
	return append([]string{f.word}, f.rest...)
}

// withoutAssignments leaves out the variables in front of a command: env A=1, sudo A=1, cross-env A=1.
func withoutAssignments(command []string) []string {
	for len(command) > 0 && strings.Contains(command[0], "=") {
		command = command[1:]
	}
	return command
}

// option returns the last value of the first of these options that was given.
func (f found) option(names ...string) string {
	for _, n := range names {
		if v := f.options[n]; v != "" {
			return v
		}
	}
	return ""
}

// Command typepolicy writes what the chart's admission policy for Destinations has to know of the types in
// destinations/types, as variables of CEL.
package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/destinations"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: typepolicy FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "typepolicy:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	types, err := destinations.Types()
	if err != nil {
		return err
	}
	text := "# Generated from destinations/types by hack/typepolicy; do not edit.\n"
	for _, v := range variables(types) {
		text += "- name: " + v.name + "\n  expression: >-\n    " + v.expression() + "\n"
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

// A variable is a map from words to lists of words.
type variable struct {
	name    string
	entries []entry
}

type entry struct {
	key   string
	words []string
}

// put keeps a key out that has nothing to say.
func (v *variable) put(key string, words []string) {
	if len(words) > 0 {
		v.entries = append(v.entries, entry{key, words})
	}
}

// expression is the variable as a map of CEL, an entry a line.
func (v *variable) expression() string {
	lines := make([]string, len(v.entries))
	for i, e := range v.entries {
		words := make([]string, len(e.words))
		for j, word := range e.words {
			words[j] = quote(word)
		}
		lines[i] = quote(e.key) + ": [" + strings.Join(words, ", ") + "]"
	}
	return "{" + strings.Join(lines, ",\n    ") + "}"
}

// quote writes a text in CEL; \x20 keeps YAML from folding what has two blanks.
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "  ", `\x20\x20`).Replace(text) + "'"
}

// variables are those of the policy. The keys of the latter two are type/field.
func variables(types []destinations.Type) []*variable {
	fields, secrets := &variable{name: "fields"}, &variable{name: "secretFields"}
	required, requiredSecrets := &variable{name: "required"}, &variable{name: "requiredSecrets"}
	signals := &variable{name: "signals"}
	patterns, addresses := &variable{name: "patterns"}, &variable{name: "addresses"}
	for _, t := range types {
		// A type that has no plain field is known, too.
		fields.entries = append(fields.entries, entry{t.Name, named(t, func(f destinations.Field) bool { return !f.Secret })})
		secrets.put(t.Name, named(t, func(f destinations.Field) bool { return f.Secret }))
		required.put(t.Name, named(t, func(f destinations.Field) bool { return f.Required && !f.Secret }))
		requiredSecrets.put(t.Name, named(t, func(f destinations.Field) bool { return f.Required && f.Secret }))
		signals.put(t.Name, words(t.Signals))
		for _, f := range t.Fields {
			if f.Secret {
				continue
			}
			patterns.put(t.Name+"/"+f.Name, patternsOf(f))
			if f.Address != "" {
				addresses.put(t.Name+"/"+f.Name, []string{string(f.Address)})
			}
		}
	}
	return []*variable{fields, secrets, required, requiredSecrets, signals, patterns, addresses}
}

func named(t destinations.Type, is func(destinations.Field) bool) []string {
	var names []string
	for _, f := range t.Fields {
		if is(f) {
			names = append(names, f.Name)
		}
	}
	return names
}

func words(signals []odiv1.Signal) []string {
	all := make([]string, len(signals))
	for i, s := range signals {
		all[i] = string(s)
	}
	return all
}

// patternsOf are the expressions that a value has to match, all of them. The type's own check knows more.
func patternsOf(f destinations.Field) []string {
	var all []string
	if len(f.Enum) > 0 {
		quoted := make([]string, len(f.Enum))
		for i, value := range f.Enum {
			quoted[i] = regexp.QuoteMeta(value)
		}
		all = append(all, "^("+strings.Join(quoted, "|")+")$")
	}
	if pattern := f.Format.Pattern(); pattern != "" {
		all = append(all, pattern)
	}
	if f.Pattern != "" && !slices.Contains(all, f.Pattern) {
		all = append(all, f.Pattern)
	}
	return all
}

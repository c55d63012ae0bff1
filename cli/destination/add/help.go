package add

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli/complete"
	"github.com/odi-dev/odi/destinations"
)

// width is that of the narrowest terminal that help is written for.
const width = 80

// long tells what flags do not: signals, documentation, what to know, secrets.
func long(t destinations.Type) string {
	parts := []string{
		wrapped(fmt.Sprintf("Add %s. It takes %s.", t.Title, signalNames(t.Signals))) + "\n" + t.Docs,
	}
	if t.Note != "" {
		parts = append(parts, wrapped(t.Note))
	}
	for _, field := range t.Fields {
		if field.Secret {
			kind := "Secret field"
			if field.Required {
				kind = "Required secret field"
			}
			parts = append(parts, wrapped(fmt.Sprintf("%s %s: %s", kind, field.Name, field.Help)))
		}
	}
	return strings.Join(parts, "\n\n")
}

// Example is a command line that adds a destination of a type, with what it needs.
func Example(t destinations.Type) string {
	words := []string{"  odi destination add " + t.Name}
	config, secrets := t.Samples(false)
	for _, field := range t.Fields {
		if value := config[field.Name]; value != "" {
			words = append(words, "--"+flagName(field)+" "+quoted(value))
		}
	}
	for _, name := range secrets {
		words = append(words, "--from-env "+name+"="+strings.ToUpper(name))
	}
	line := words[0]
	var lines []string
	for _, word := range words[1:] {
		if len(line)+1+len(word) > width-2 {
			lines = append(lines, line+" \\")
			line = "     "
		}
		line += " " + word
	}
	return strings.Join(append(lines, line), "\n")
}

// quoted is a value as a shell wants it.
func quoted(value string) string {
	if strings.ContainsAny(value, " $&;|<>*?'\"\\`(){}[]#~!") {
		return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return value
}

// wrapped breaks a text into lines; a word that is longer, as an address, stays whole.
func wrapped(text string) string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return strings.Join(append(lines, line), "\n")
}

// completeTypes offers the types with their titles.
func completeTypes(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	types, err := destinations.Types()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var words []cobra.Completion
	for _, t := range types {
		if strings.HasPrefix(t.Name, typed) {
			words = append(words, cobra.CompletionWithDesc(t.Name, t.Title))
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// completeFlags offers the values of fields that have few, signals, and names of fields.
func completeFlags(cmd *cobra.Command, t destinations.Type) {
	for _, field := range t.Fields {
		if len(field.Enum) > 0 && !field.Secret {
			// The only error is a flag that does not exist; it was added above.
			_ = cmd.RegisterFlagCompletionFunc(flagName(field), cobra.FixedCompletions(slices.Clone(field.Enum), cobra.ShellCompDirectiveNoFileComp))
		}
	}
	var plain, secret, all []string
	for _, field := range t.Fields {
		all = append(all, field.Name+"=")
		if field.Secret {
			secret = append(secret, field.Name+"=")
		} else {
			plain = append(plain, field.Name+"=")
		}
	}
	names := make([]string, len(secret))
	for i, name := range secret {
		names[i] = strings.TrimSuffix(name, "=")
	}
	for flag, complete := range map[string]complete.Func{
		"set": complete.Word(plain), "from-env": complete.Word(secret), "from-stdin": complete.Word(names),
		"from-file": complete.Word(all), "signals": complete.Words(strings.Split(signalNames(t.Signals), ", ")),
	} {
		if cmd.Flags().Lookup(flag) != nil {
			_ = cmd.RegisterFlagCompletionFunc(flag, complete) // It exists, and has none.
		}
	}
}

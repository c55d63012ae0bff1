package add

import (
	"bufio"
	"context"
	"fmt"
	stdio "io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/destinations"
)

// sources are the places of a command line where values of fields come from.
type sources struct {
	// flags has one value per plain field, by the field's name.
	flags map[string]*string
	set   []string
	env   []string
	files []string
	stdin string
}

// addFlags adds one flag per plain field, and the flags that can give any field.
func (s *sources) addFlags(flags *pflag.FlagSet, t destinations.Type) {
	s.flags = map[string]*string{}
	var secrets []string
	for _, field := range t.Fields {
		if field.Secret {
			secrets = append(secrets, field.Name)
			continue
		}
		s.flags[field.Name] = flags.String(flagName(field), "", usage(field))
	}
	flags.StringArrayVar(&s.set, "set", nil, "`field=value` of a plain field; may be repeated")
	flags.StringArrayVar(&s.files, "from-file", nil, "`field=path` of a file that holds the value; may be repeated")
	if len(secrets) == 0 {
		return
	}
	flags.StringArrayVar(&s.env, "from-env", nil, "`field=VARIABLE` that holds the value of a secret field; may be repeated")
	flags.StringVar(&s.stdin, "from-stdin", "", "secret `field` whose value is read from stdin")
}

// flagName of a field: header_name is --header-name.
func flagName(field destinations.Field) string { return strings.ReplaceAll(field.Name, "_", "-") }

func usage(field destinations.Field) string {
	text := strings.TrimSuffix(field.Help, ".")
	// pflag takes a word in backquotes as the name of the value.
	text = strings.ReplaceAll(text, "`", "'")
	switch {
	case field.Required:
		text += " (required)"
	case field.Default != "":
		text += fmt.Sprintf(" (default %q)", field.Default)
	}
	if len(field.Enum) > 0 {
		text += ": " + strings.Join(field.Enum, ", ")
	}
	return text
}

// read collects the values; a field that is given twice is an error.
func (s *sources) read(ctx context.Context, io streams.Streams, t destinations.Type) (values, error) {
	given := values{}
	for name, value := range s.flags {
		if *value != "" {
			given[name] = *value
		}
	}
	for _, pair := range s.set {
		name, value, err := split("set", pair)
		if err != nil {
			return nil, err
		}
		if field, ok := t.Field(name); ok && field.Secret {
			return nil, exit.Usagef("%s is secret and does not belong on a command line; use --from-env %s=VARIABLE or --from-stdin %s", name, name, name)
		}
		if err := given.put(t, name, value); err != nil {
			return nil, err
		}
	}
	if err := s.readElsewhere(ctx, io, t, given); err != nil {
		return nil, err
	}
	return given, nil
}

// readElsewhere reads what is not on the command line itself.
func (s *sources) readElsewhere(ctx context.Context, io streams.Streams, t destinations.Type, given values) error {
	for _, pair := range s.env {
		name, variable, err := split("from-env", pair)
		if err != nil {
			return err
		}
		value, ok := os.LookupEnv(variable)
		if !ok || value == "" {
			return exit.Usagef("--from-env %s: the environment variable %s is not set or empty", pair, variable)
		}
		if err := given.put(t, name, value); err != nil {
			return err
		}
	}
	if err := s.readFiles(t, given); err != nil {
		return err
	}
	if s.stdin == "" {
		return nil
	}
	return s.readSecret(ctx, io, t, given)
}

// readSecret reads the one field that comes on stdin.
func (s *sources) readSecret(ctx context.Context, io streams.Streams, t destinations.Type, given values) error {
	if field, ok := t.Field(s.stdin); !ok || !field.Secret {
		return exit.Usagef("--from-stdin %s: it is no secret field of %s; valid are %s", s.stdin, t.Name, strings.Join(t.SecretFields(), ", "))
	}
	value, err := s.readStdin(ctx, io)
	if err != nil {
		return fmt.Errorf("reading %s from stdin: %w", s.stdin, err)
	}
	if value == "" {
		return exit.Usagef("--from-stdin %s: stdin is empty", s.stdin)
	}
	return given.put(t, s.stdin, value)
}

// readStdin reads all that comes; of a person, one line that the terminal does not show.
func (s *sources) readStdin(ctx context.Context, io streams.Streams) (string, error) {
	if io.InTerminal {
		fmt.Fprintf(io.Err, "%s (it is not shown; Ctrl-C ends without a change): ", s.stdin)
		return answer(ctx, io, bufio.NewReader(io.In), true)
	}
	text, err := streams.Await(ctx, func() (string, error) {
		data, err := stdio.ReadAll(io.In)
		return string(data), err
	})
	return strings.TrimRight(text, "\r\n"), err
}

func split(flag, pair string) (name, value string, err error) {
	name, value, found := strings.Cut(pair, "=")
	if !found || name == "" || value == "" {
		return "", "", exit.Usagef("--%s %s: write it as field=value", flag, pair)
	}
	return name, value, nil
}

func (s *sources) readFiles(t destinations.Type, given values) error {
	for _, pair := range s.files {
		name, path, err := split("from-file", pair)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return exit.Usagef("--from-file %s: %w", pair, err)
		}
		if err := given.put(t, name, strings.TrimRight(string(data), "\r\n")); err != nil {
			return err
		}
	}
	return nil
}

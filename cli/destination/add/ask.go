package add

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/destinations"
)

// ask fills in the required fields that are missing: by questions on a terminal, also for
// what given fields need, and by an error that names their flags in a script.
// lines are stdin where some of it was read ahead.
func ask(ctx context.Context, io streams.Streams, t destinations.Type, given values, lines *bufio.Reader) error {
	missing := given.missing(t)
	if io.InTerminal {
		missing = given.needed(t, missing)
	}
	if len(missing) == 0 {
		return nil
	}
	if !io.InTerminal {
		return exit.Usagef("%s needs %s", t.Name, flagsFor(missing))
	}
	if lines == nil {
		lines = bufio.NewReader(io.In)
	}
	for _, field := range missing {
		value, err := question(ctx, io, lines, field)
		if err != nil {
			return err
		}
		given[field.Name] = value
	}
	return nil
}

func flagsFor(fields []destinations.Field) string {
	parts := make([]string, 0, len(fields))
	for _, field := range fields {
		flag := "--" + flagName(field)
		if field.Secret {
			flag = fmt.Sprintf("--from-env %s=VARIABLE (or --from-stdin %s)", field.Name, field.Name)
		}
		parts = append(parts, fmt.Sprintf("%s: %s", flag, strings.TrimSuffix(field.Help, ".")))
	}
	return strings.Join(parts, "; ")
}

// question asks until the answer is valid.
func question(ctx context.Context, io streams.Streams, lines *bufio.Reader, field destinations.Field) (string, error) {
	fmt.Fprintf(io.Err, "%s\n", wrapped(field.Help))
	for {
		fmt.Fprintf(io.Err, "%s%s: ", field.Title, choice(field))
		answer, err := answer(ctx, io, lines, field.Secret)
		if err != nil {
			return "", fmt.Errorf("reading the answer for %s: %w", field.Name, err)
		}
		if answer == "" {
			fmt.Fprintln(io.Err, "It is required; Ctrl-C ends without a change.")
			continue
		}
		problem := field.Check(answer)
		if problem == nil {
			return answer, nil
		}
		fmt.Fprintf(io.Err, "%s\n", problem)
	}
}

// answer reads one line, without echo where it is secret and stdin is a real terminal.
func answer(ctx context.Context, io streams.Streams, lines *bufio.Reader, secret bool) (string, error) {
	if file, ok := io.In.(*os.File); ok && secret && term.IsTerminal(int(file.Fd())) {
		before, err := term.GetState(int(file.Fd()))
		if err != nil {
			return "", err
		}
		typed, err := streams.Await(ctx, func() (string, error) {
			typed, err := term.ReadPassword(int(file.Fd()))
			return string(typed), err
		})
		fmt.Fprintln(io.Err)
		// After Ctrl-C the terminal would go on hiding what is typed.
		return strings.TrimSpace(typed), errors.Join(err, term.Restore(int(file.Fd()), before))
	}
	line, err := streams.Await(ctx, func() (string, error) { return lines.ReadString('\n') })
	return strings.TrimSpace(line), err
}

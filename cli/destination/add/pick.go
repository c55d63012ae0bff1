package add

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/destinations"
)

// pickAndRun asks for a type and for what it needs.
func pickAndRun(ctx context.Context, io streams.Streams, to *cluster.Cluster) error {
	lines := bufio.NewReader(io.In)
	t, err := pick(ctx, io, lines)
	if err != nil {
		return err
	}
	return run(ctx, io, to, t, flags{name: t.Name, timeout: defaultTimeout, answers: lines})
}

// pick asks until the answer is a type, or a word that one type alone has.
func pick(ctx context.Context, io streams.Streams, lines *bufio.Reader) (destinations.Type, error) {
	for {
		fmt.Fprint(io.Err, "Type (a name, or a word to look for; Enter lists all): ")
		typed, err := answer(ctx, io, lines, false)
		if err != nil {
			return destinations.Type{}, fmt.Errorf("reading the type: %w", err)
		}
		t, unknown := destinations.Get(typed)
		if unknown == nil {
			return t, nil
		}
		found, err := destinations.Find(typed)
		switch {
		case err != nil:
			return destinations.Type{}, err
		case len(found) == 1:
			fmt.Fprintf(io.Err, "%s: %s\n", found[0].Name, found[0].Title)
			return found[0], nil
		case len(found) == 0:
			fmt.Fprintf(io.Err, "%s\n", unknown)
		default:
			fmt.Fprintln(io.Err, columns(found))
		}
	}
}

// columns are the names of types, as many in a line as there is room for.
func columns(types []destinations.Type) string {
	longest := 0
	for _, t := range types {
		longest = max(longest, len(t.Name))
	}
	perLine := max(1, width/(longest+2))
	var b strings.Builder
	for i, t := range types {
		switch {
		case (i+1)%perLine == 0 || i == len(types)-1:
			fmt.Fprintln(&b, t.Name)
		default:
			fmt.Fprintf(&b, "%-*s", longest+2, t.Name)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// choice is what may be answered to a question, for people.
func choice(field destinations.Field) string {
	switch {
	case len(field.Enum) > 0:
		return " (" + strings.Join(field.Enum, ", ") + ")"
	case field.Example != "" && !strings.Contains(field.Help, field.Example):
		return " (for example " + field.Example + ")"
	}
	return ""
}

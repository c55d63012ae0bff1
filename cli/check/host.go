package check

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/odiglet"
	"github.com/odi-dev/odi/odiglet/host"
)

// feature is one step of the ladder, as it is printed.
type feature struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// ofThisMachine says what its kernel can do.
func ofThisMachine(io streams.Streams, f flags) error {
	if f.format == formatJUnit {
		return exit.Usagef("-o junit is about the checks of a cluster; for this machine use -o json")
	}
	if lacking := host.MissingCapabilities(); len(lacking) > 0 {
		return fmt.Errorf("odi check may not load the engine: it lacks %s; run it as root (sudo odi check)", strings.Join(lacking, ", "))
	}
	ladder := features()
	if f.format != formatTable {
		return output.Value(io.Out, output.Format(f.format), ladder)
	}
	return print(io, ladder)
}

// features loads the engine and lets it go. One that cannot be loaded has a
// ladder too: it says why.
func features() []feature {
	ladder := odiglet.Ladder(slog.New(slog.DiscardHandler))
	out := make([]feature, 0, len(ladder))
	for _, f := range ladder {
		out = append(out, feature{Name: string(f.Name), State: string(f.State), Reason: f.Reason})
	}
	return out
}

func print(io streams.Streams, ladder []feature) error {
	t := output.Table{Columns: []string{"feature", "state", "reason"}}
	for _, f := range ladder {
		t.Rows = append(t.Rows, []string{f.Name, f.State, f.Reason})
	}
	return t.Print(output.Out(io), output.FormatTable)
}

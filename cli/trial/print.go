package trial

import (
	"fmt"

	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/internal/answer"
	"github.com/odi-dev/odi/internal/trial"
)

// Print says for people what came of it.
func Print(out output.Page, r trial.Result) {
	head := fmt.Sprintf("destination %s (%s)", r.Destination, r.Type)
	if r.Endpoint != "" {
		head += ", " + r.Endpoint
	}
	out.Line("", output.Printable(head))
	if r.Problem != "" {
		out.Line(out.Paint(output.Red, "✗")+" ", "Nothing was sent: "+output.Printable(r.Problem))
		return
	}
	for _, f := range r.Signals {
		printFinding(out, f)
	}
	if r.Accepted() {
		out.Line("", fmt.Sprintf("To find the data at the backend: service odi-destination-test, trace %s", r.TraceID))
	}
}

// width of a signal's name in its column.
const width = len("metrics")

func printFinding(out output.Page, f answer.Finding) {
	name := fmt.Sprintf("%-*s  ", width, f.Signal)
	if f.Accepted {
		text := fmt.Sprintf("accepted in %d ms", f.Milliseconds)
		if f.Words != "" {
			text += ", with a warning: " + output.Printable(f.Words)
		}
		out.Line(out.Paint(output.Green, "✓")+" "+name, text)
		return
	}
	below := fmt.Sprintf("  %*s  ", width, "")
	out.Line(out.Paint(output.Red, "✗")+" "+name, fmt.Sprintf("%s: %s", f.Step, output.Printable(f.Cause)))
	if f.Words != "" {
		out.Line(below, output.Printable(f.Words))
	}
	if f.Hint != "" {
		out.Line(below+"Hint: ", output.Printable(f.Hint))
	}
}

package status

import (
	"fmt"
	"strconv"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/internal/loss"
)

func (r Report) print(out output.Page, format output.Format) error {
	fmt.Fprintf(out, "odi %s in %s\n", r.Version, r.Namespace)
	if r.Only != "" {
		fmt.Fprintf(out, "Workloads, configs and destinations of the namespace %s alone.\n", r.Only)
	}
	for _, part := range []struct {
		table output.Table
		empty string
	}{
		{r.componentTable(), ""},
		{r.nodeTable(), "No node reports yet."},
		{r.destinationTable(), "No destination: odi destination add <type>"},
		{r.bookTable(), ""},
	} {
		if len(part.table.Rows) == 0 {
			if part.empty != "" {
				fmt.Fprintf(out, "\n%s\n", part.empty)
			}
			continue
		}
		fmt.Fprintln(out)
		if err := part.table.Print(out, format); err != nil {
			return err
		}
	}
	w := r.Workloads
	fmt.Fprintf(out, "\nworkloads: %d, of them %d instrumented, %d waiting, %d off, %d broken\n", w.Total, w.Instrumented, w.Waiting, w.Off, w.Broken)
	if len(r.Problems) == 0 {
		fmt.Fprintln(out, out.Paint(output.Green, "No problem."))
	}
	lines(out, out.Paint(output.Red, "Problems:"), r.Problems)
	lines(out, "Notes:", r.Notes)
	return nil
}

// lines are texts below a head; nothing without any.
func lines(out output.Page, head string, texts []string) {
	if len(texts) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", head)
	for _, text := range texts {
		text = strings.Join(strings.Fields(text), " ")
		if out.Width > 0 {
			out.Line("- ", text)
			continue
		}
		out.Line("  ", text)
	}
}

func (r Report) componentTable() output.Table {
	t := output.Table{Columns: []string{"component", "ready", "state"}}
	for _, c := range r.Components {
		ready := "no"
		if c.Ready {
			ready = "yes"
		}
		t.Rows = append(t.Rows, []string{c.Name, ready, c.Text})
	}
	return t
}

func (r Report) nodeTable() output.Table {
	t := output.Table{Columns: []string{"node", "kernel", "odiglet", "attached", "features"}}
	for _, n := range r.Nodes {
		t.Rows = append(t.Rows, []string{n.Name, n.Kernel, n.Version, strconv.Itoa(int(n.Attached)), ladder(n.Features)})
	}
	return t
}

// ladder names every feature; those that are not Active say so.
func ladder(features []odiv1.Feature) string {
	words := make([]string, 0, len(features))
	for _, f := range features {
		word := f.Name
		if f.State != odiv1.FeatureActive {
			word += " (" + string(f.State) + ")"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func (r Report) destinationTable() output.Table {
	t := output.Table{Columns: []string{"destination", "type", "exporting", "sent", "failed", "queued"}}
	for _, d := range r.Destinations {
		t.Rows = append(t.Rows, []string{
			d.Namespace + "/" + d.Name, d.Type, d.Exporting,
			strconv.FormatInt(d.Sent, 10), strconv.FormatInt(d.Failed, 10), strconv.FormatInt(d.Queued, 10),
		})
	}
	return t
}

func (r Report) bookTable() output.Table {
	t := output.Table{Columns: []string{"books", "accepted", "sent", "queued", "left out", "lost"}}
	for _, hop := range r.Books {
		t.Rows = append(t.Rows, []string{
			hop.Name, strconv.FormatUint(hop.Accepted, 10), strconv.FormatUint(hop.Sent, 10), strconv.FormatUint(hop.Queued, 10),
			counted(loss.Only(loss.Intended, hop.Dropped)), counted(loss.Only(loss.Lost, hop.Dropped)),
		})
	}
	return t
}

// counted is the sum, with the reasons.
func counted(of map[string]uint64) string {
	if len(of) == 0 {
		return "0"
	}
	return strconv.FormatUint(sum(of), 10) + " (" + reasons(of) + ")"
}

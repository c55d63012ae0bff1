package checks

import (
	"fmt"
	"maps"
	"strings"

	"github.com/odi-dev/odi/cli/output"
)

// Print writes the report for a person: a line for each check, and below those that are not
// well what was found, why it matters and how to mend it. Many that are unknown for one reason share a line.
func (r Report) Print(page output.Page) {
	shared := r.shared()
	for _, result := range r.Results {
		if _, is := shared[result.reason()]; !is {
			result.Print(page)
		}
	}
	for _, why := range sortedKeys(shared) {
		page.Line(page.Paint(output.Yellow, "?")+" ", fmt.Sprintf("%d checks are unknown: %s", len(shared[why]), output.Printable(why)))
		page.Line(below, strings.Join(shared[why], ", "))
	}
	page.Line("", "")
	page.Line("", r.Summary.String())
}

// many is how many checks share a line rather than have one each.
const many = 4

// shared are the codes of checks that are unknown for one and the same reason, if there are many.
func (r Report) shared() map[string][]string {
	codes := map[string][]string{}
	for _, result := range r.Results {
		if why := result.reason(); why != "" {
			codes[why] = append(codes[why], result.Code)
		}
	}
	maps.DeleteFunc(codes, func(_ string, of []string) bool { return len(of) < many })
	return codes
}

// reason is why a check knows nothing at all; empty where it knows something.
func (r Result) reason() string {
	if r.State != Unknown || len(r.Findings) > 1 || r.Findings[0].Subject != "" {
		return ""
	}
	return r.Findings[0].Text
}

// below is where text goes on under a check's code.
const below = "           "

// Print writes one check.
func (r Result) Print(page output.Page) {
	mark, colour := r.mark()
	begin := page.Paint(colour, mark) + " " + r.Code + "  "
	if r.State == OK {
		page.Line(begin, r.Title+r.brief())
		return
	}
	page.Line(begin, r.Title+" - "+r.word())
	for _, f := range r.grouped() {
		page.Line(below, output.Printable(f))
	}
	if r.State == Broken {
		page.Line(below, "why: "+r.Why)
		page.Line(below, "to mend: "+r.Mend)
	}
}

// mark is what a person sees first.
func (r Result) mark() (string, output.Colour) {
	switch {
	case r.State == OK:
		return "✓", output.Green
	case r.State == Unknown:
		return "?", output.Yellow
	case r.Severity == Fatal:
		return "✗", output.Red
	case r.Severity == Warning:
		return "!", output.Yellow
	}
	return "i", output.Faint
}

func (r Result) word() string {
	if r.State == Unknown {
		return "unknown"
	}
	return string(r.Severity)
}

// brief is what was seen of one subject, or of how many.
func (r Result) brief() string {
	if len(r.Findings) > 1 {
		return fmt.Sprintf(": %d looked at", len(r.Findings))
	}
	return ": " + output.Printable(r.Findings[0].Text)
}

// grouped are the findings that are not well, those with the same text in one line.
func (r Result) grouped() []string {
	subjects := map[string][]string{}
	var texts []string
	for _, f := range r.Findings {
		if f.State == OK || r.State == Broken && f.State == Unknown {
			continue
		}
		if _, known := subjects[f.Text]; !known {
			texts = append(texts, f.Text)
		}
		subjects[f.Text] = append(subjects[f.Text], f.Subject)
	}
	for i, text := range texts {
		if names := subjects[text]; names[0] != "" {
			texts[i] = listed(names) + ": " + text
		}
	}
	return texts
}

// String says it in a sentence. What is not known is never left out of it.
func (s Summary) String() string {
	parts := []string{fmt.Sprintf("%d ok", s.OK)}
	for _, n := range []struct {
		count int
		words string
	}{{s.Fatal, "fatal"}, {s.Warning, "of warning"}, {s.Note, "to note"}} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.words))
		}
	}
	if s.Unknown > 0 {
		text := fmt.Sprintf("%d unknown", s.Unknown)
		if s.UnknownFatal > 0 {
			text += fmt.Sprintf(", of which %d would be fatal", s.UnknownFatal)
		}
		parts = append(parts, text)
	}
	text := strings.Join(parts, ", ")
	if s.Fatal == 0 && s.UnknownFatal == 0 {
		return text + ": nothing is in odi's way"
	}
	if s.Fatal == 0 {
		return text + ": nothing that was seen is in odi's way"
	}
	return text + ": odi explain <code> tells more"
}

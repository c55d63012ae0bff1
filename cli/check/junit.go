package check

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/odi-dev/odi/cli/checks"
)

// The elements of JUnit's XML that CI systems read.
type (
	suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []suite  `xml:"testsuite"`
	}
	suite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	testcase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		Failure *message `xml:"failure"`
		Skipped *message `xml:"skipped"`
		Out     string   `xml:"system-out,omitempty"`
	}
	message struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit writes a report in which what is fatal or of warning has failed, and what is unknown was skipped.
func junit(out io.Writer, report checks.Report) error {
	s := suite{Name: "odi check, " + string(report.Phase), Tests: len(report.Results)}
	for _, r := range report.Results {
		c := caseOf(r)
		if c.Failure != nil {
			s.Failures++
		}
		if c.Skipped != nil {
			s.Skipped++
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(out)
	encoder.Indent("", "  ")
	if err := encoder.Encode(suites{Suites: []suite{s}}); err != nil {
		return err
	}
	_, err := io.WriteString(out, "\n")
	return err
}

func caseOf(r checks.Result) testcase {
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, strings.TrimPrefix(fmt.Sprintf("%s: %s (%s)", f.Subject, f.Text, f.State), ": "))
	}
	text := strings.Join(lines, "\n")
	c := testcase{Name: r.Code + " " + r.Title, Class: "odi.check"}
	switch {
	case r.State == checks.Unknown:
		c.Skipped = &message{Message: "unknown: " + lines[0]}
		c.Out = text
	case r.State == checks.Broken && r.Severity != checks.Note:
		c.Failure = &message{Type: string(r.Severity), Message: r.Title, Text: text + "\nwhy: " + r.Why + "\nto mend: " + r.Mend}
	default:
		c.Out = text
	}
	return c
}

// Command chartdocs brings the comments of the chart's values.yaml, which people read and
// write, to where programs and the README want them: each becomes the description of its value in
// values.schema.json, and both together the table of values in README.md.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: chartdocs CHART")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "chartdocs:", err)
		os.Exit(1)
	}
}

func run(chart string) error {
	values, err := read(filepath.Join(chart, "values.yaml"))
	if err != nil {
		return err
	}
	schemaFile := filepath.Join(chart, "values.schema.json")
	schema, err := read(schemaFile) // JSON is YAML, and this reader keeps the order.
	if err != nil {
		return err
	}
	d := describer{defs: member(schema, "$defs")}
	d.describe(schema, values, "")
	if err := errors.Join(d.problems...); err != nil {
		return err
	}
	if err := os.WriteFile(schemaFile, []byte(writeJSON(schema, 0)+"\n"), 0o600); err != nil {
		return err
	}
	return insert(filepath.Join(chart, "README.md"), table(d.rows))
}

// read returns the document of a file.
func read(path string) (*yaml.Node, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return document.Content[0], nil
}

// The table is between these lines of the README.
const (
	begin = "<!-- The table is generated from values.yaml by hack/chartdocs; do not edit it. -->\n"
	end   = "<!-- The end of the table. -->\n"
)

// insert puts the table where the README has its place.
func insert(path, table string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(content), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("%s has no place for the table of values", path)
	}
	return os.WriteFile(path, []byte(before+begin+table+end+after), 0o600)
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// longest line of the schema that holds a whole object.
const longest = 140

// writeJSON writes a document in the order that it has: what is short in one line, the rest indented.
func writeJSON(n *yaml.Node, depth int) string {
	if short := inline(n); len(short)+2*depth <= longest && member(n, "properties") == nil {
		return short
	}
	indent := strings.Repeat("  ", depth)
	var parts []string
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			parts = append(parts, indent+"  "+quote(n.Content[i].Value)+": "+writeJSON(n.Content[i+1], depth+1))
		}
		return "{\n" + strings.Join(parts, ",\n") + "\n" + indent + "}"
	case yaml.SequenceNode:
		for _, item := range n.Content {
			parts = append(parts, indent+"  "+writeJSON(item, depth+1))
		}
		return "[\n" + strings.Join(parts, ",\n") + "\n" + indent + "]"
	}
	return inline(n)
}

// inline writes a document in one line, as JSON.
func inline(n *yaml.Node) string {
	var parts []string
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			parts = append(parts, quote(n.Content[i].Value)+": "+inline(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		for _, item := range n.Content {
			parts = append(parts, inline(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if n.Tag == "!!str" {
		return quote(n.Value)
	}
	return n.Value
}

// quote writes a text as JSON, without the escapes that are for HTML.
func quote(text string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // A text is always one in JSON, too.
	return strings.TrimSuffix(b.String(), "\n")
}

// table is the README's.
func table(rows []row) string {
	var b strings.Builder
	b.WriteString("\n| value | default | what it is |\n|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", r.name, r.standard, strings.ReplaceAll(r.words, "|", `\|`))
	}
	b.WriteString("\n")
	return b.String()
}

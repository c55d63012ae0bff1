package main

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// row is one value as the README has it.
type row struct{ name, standard, words string }

// describer walks a schema beside the values that it is about.
type describer struct {
	defs     *yaml.Node
	rows     []row
	problems []error
}

// describe gives each property below a schema the comment of its value.
func (d *describer) describe(schema, values *yaml.Node, path string) {
	properties := member(schema, "properties")
	if properties == nil {
		return
	}
	seen := map[string]bool{}
	for i := 0; i < len(values.Content); i += 2 {
		key, value := values.Content[i], values.Content[i+1]
		name := strings.TrimPrefix(path+"."+key.Value, ".")
		seen[key.Value] = true
		property := member(properties, key.Value)
		words := comment(key)
		if property == nil || words == "" {
			d.problems = append(d.problems, fmt.Errorf("%s: no comment in values.yaml, or not in the schema", name))
			continue
		}
		set(property, "description", words)
		below := d.resolve(property)
		if member(below, "properties") == nil || member(below, "required") == nil {
			d.rows = append(d.rows, row{name, inline(value), words})
			continue
		}
		d.describe(below, value, name)
	}
	for i := 0; i < len(properties.Content); i += 2 {
		if name := properties.Content[i].Value; !seen[name] && member(properties.Content[i+1], "description") == nil {
			d.problems = append(d.problems, fmt.Errorf("%s.%s: in the schema, not in values.yaml", path, name))
		}
	}
}

// resolve follows a reference into $defs.
func (d *describer) resolve(schema *yaml.Node) *yaml.Node {
	for {
		ref := member(schema, "$ref")
		if ref == nil {
			return schema
		}
		schema = member(d.defs, strings.TrimPrefix(ref.Value, "#/$defs/"))
	}
}

// comment is what stands above a key, in one line.
func comment(key *yaml.Node) string {
	// What stands above the first key begins with the words on the file itself.
	blocks := strings.Split(key.HeadComment, "\n\n")
	var words []string
	for line := range strings.Lines(blocks[len(blocks)-1]) {
		words = append(words, strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "#")))
	}
	return strings.Join(words, " ")
}

// member is the value of a key; nil when there is none.
func member(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// set makes a text the first member of a mapping, or changes the one that is there.
func set(mapping *yaml.Node, key, text string) {
	if have := member(mapping, key); have != nil {
		have.Value = text
		return
	}
	pair := []*yaml.Node{
		{Kind: yaml.ScalarNode, Tag: "!!str", Value: key},
		{Kind: yaml.ScalarNode, Tag: "!!str", Value: text},
	}
	mapping.Content = append(pair, mapping.Content...)
}

package destinations

import (
	"maps"
	"slices"
)

// Samples are valid values for the plain fields, and the names of secret ones: of
// the required fields alone, or of every field that has an example, a default or
// a choice, as far as they have what they need. Documentation and tests use them.
func (t Type) Samples(every bool) (config map[string]string, secrets []string) {
	config = map[string]string{}
	for _, f := range t.Fields {
		switch {
		case !every && !f.Required:
		case f.Secret:
			secrets = append(secrets, f.Name)
		case f.Sample() != "":
			config[f.Name] = f.Sample()
		}
	}
	for range t.Fields { // What needs another may be needed by a third.
		lacks := func(name string) bool {
			f, _ := t.Field(name)
			other, _ := t.Field(f.Needs)
			return f.Needs != "" && config[f.Needs] == "" && other.Default == "" && !slices.Contains(secrets, f.Needs)
		}
		maps.DeleteFunc(config, func(name, _ string) bool { return lacks(name) })
		secrets = slices.DeleteFunc(secrets, lacks)
	}
	return config, secrets
}

// Sample is a valid value of a plain field, empty if none is known.
func (f Field) Sample() string {
	switch {
	case f.Example != "":
		return f.Example
	case f.Default != "":
		return f.Default
	case len(f.Enum) > 0:
		return f.Enum[0]
	}
	return ""
}

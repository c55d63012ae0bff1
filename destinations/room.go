package destinations

import (
	"cmp"
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

//go:embed *.yaml
var rooms embed.FS

// Type is one kind of backend, as its YAML file describes it.
type Type struct {
	// Name is what users write as type: the file's name without .yaml.
	Name string `json:"-"`
	// Title is the name for people.
	Title string `json:"title"`
	// Category groups types in lists.
	Category string `json:"category"`
	// Docs is the address of the backend's own documentation.
	Docs string `json:"docs"`
	// Signals that the backend takes.
	Signals []odiv1.Signal `json:"signals"`
	// Fields in the order in which users are asked for them.
	Fields []Field `json:"fields"`
	// Exporters that serve it, each signal by exactly one.
	Exporters []Template `json:"exporters"`
}

// Field is one thing that a user says about a backend.
type Field struct {
	// Name is the key in spec.config, or in the Secret when Secret is set.
	Name string `json:"name"`
	// Title is the name for people.
	Title string `json:"title"`
	// Help is one sentence for people.
	Help string `json:"help"`
	// Required fields have no default.
	Required bool `json:"required,omitempty"`
	// Secret values live in a Secret only and never in a configuration.
	Secret bool `json:"secret,omitempty"`
	// Default is used when the user says nothing.
	Default string `json:"default,omitempty"`
	// Enum lists the valid values, when they are few. "true" and "false" make a boolean.
	Enum []string `json:"enum,omitempty"`
	// Address is set for a field that holds one.
	Address Address `json:"address,omitempty"`
	// Format says what else the value has to be.
	Format Format `json:"format,omitempty"`
	// Pattern is a regular expression that values match.
	Pattern string `json:"pattern,omitempty"`
}

// Template is an exporter of the collector with places for the fields.
type Template struct {
	// Type of the exporter in the collector.
	Type string `json:"type"`
	// Signals that it serves.
	Signals []odiv1.Signal `json:"signals"`
	// Local exporters send nothing over a network: they need neither queue nor heartbeat.
	Local bool `json:"local,omitempty"`
	// Config of the exporter; see Render for the places in it.
	Config map[string]any `json:"config"`
}

// UnknownTypeError says that there is no room of a name.
type UnknownTypeError struct {
	Type  string
	Valid []string
}

// Error implements error.
func (e *UnknownTypeError) Error() string {
	return fmt.Sprintf("unknown destination type %q; valid types: %s", e.Type, strings.Join(e.Valid, ", "))
}

// Types lists every room by name. What they hold is everybody's: nobody changes it.
func Types() ([]Type, error) {
	types, err := parsed()
	return slices.Clone(types), err
}

// parsed are the rooms, which are parsed when one is asked for first.
var parsed = sync.OnceValues(parseAll)

func parseAll() ([]Type, error) {
	files, err := rooms.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("listing destination types: %w", err)
	}
	types := make([]Type, 0, len(files))
	for _, file := range files {
		t, err := read(file.Name())
		if err != nil {
			return nil, err
		}
		types = append(types, t)
	}
	slices.SortFunc(types, func(a, b Type) int { return cmp.Compare(a.Name, b.Name) })
	return types, nil
}

// Get returns the room of a name, or an *UnknownTypeError.
func Get(name string) (Type, error) {
	types, err := parsed()
	if err != nil {
		return Type{}, err
	}
	names := make([]string, 0, len(types))
	for _, t := range types {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return Type{}, &UnknownTypeError{Type: name, Valid: names}
}

func read(file string) (Type, error) {
	content, err := rooms.ReadFile(file)
	if err != nil {
		return Type{}, fmt.Errorf("reading destination type: %w", err)
	}
	t, err := parse(strings.TrimSuffix(path.Base(file), ".yaml"), content)
	if err != nil {
		return Type{}, fmt.Errorf("reading destination type %s: %w", file, err)
	}
	return t, nil
}

func parse(name string, content []byte) (Type, error) {
	t := Type{Name: name}
	if err := yaml.UnmarshalStrict(content, &t); err != nil {
		return Type{}, err
	}
	return t, t.sound()
}

// Field finds a field by name.
func (t Type) Field(name string) (Field, bool) {
	i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return t.Fields[i], true
}

package destinations

import (
	"cmp"
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

//go:embed types/*.yaml
var rooms embed.FS

// Type is one kind of backend, as its YAML file describes it.
type Type struct {
	// Name is what users write as type: the file's name without .yaml.
	Name string `json:"-"`
	// Title is the name for people.
	Title string `json:"title"`
	// Category groups types in lists.
	Category string `json:"category"`
	// Docs is the address of the backend's own page about what odi sends: OTLP mostly.
	Docs string `json:"docs"`
	// Note is what users have to know besides the fields.
	Note string `json:"note,omitempty"`
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
	// Example is a value that is valid: people read it, and tests use it.
	Example string `json:"example,omitempty"`
	// Needs is another field without which this one means nothing.
	Needs string `json:"needs,omitempty"`
	// Address is set for a field that holds one.
	Address Address `json:"address,omitempty"`
	// Path is what the backend has after the host of an address; it is added where users leave it out.
	Path string `json:"path,omitempty"`
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
	// OAuth2 is what tokens are fetched with, where users say a token_url.
	OAuth2 map[string]any `json:"oauth2,omitempty"`
}

// all is every room by name; the files are a part of the program, and read once.
var all = sync.OnceValues(readAll)

// Types lists every room by name. Their content is shared: it is not to be changed.
func Types() ([]Type, error) {
	types, err := all()
	return slices.Clone(types), err
}

// Get returns the room of a name, or an *UnknownTypeError.
func Get(name string) (Type, error) {
	types, err := all()
	if err != nil {
		return Type{}, err
	}
	i, found := slices.BinarySearchFunc(types, name, func(t Type, name string) int { return cmp.Compare(t.Name, name) })
	if !found {
		return Type{}, unknown(name, types)
	}
	return types[i], nil
}

func readAll() ([]Type, error) {
	files, err := rooms.ReadDir("types")
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

func read(file string) (Type, error) {
	content, err := rooms.ReadFile("types/" + file)
	if err != nil {
		return Type{}, fmt.Errorf("reading destination type: %w", err)
	}
	t, err := parse(strings.TrimSuffix(file, ".yaml"), content)
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

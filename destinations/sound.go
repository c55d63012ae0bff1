package destinations

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// fieldName is what is also valid as a Secret's key and, in capitals, as a part of one.
var fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// sound says what is wrong with a room, all of it at once.
func (t Type) sound() error {
	var problems []error
	complain := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if t.Title == "" || t.Category == "" {
		complain("title and category are required")
	}
	if u, err := url.Parse(t.Docs); err != nil || u.Scheme != "https" {
		complain("docs %q is not an https address", t.Docs)
	}
	seen := map[string]bool{}
	for _, f := range t.Fields {
		if seen[f.Name] {
			complain("field %s is there twice", f.Name)
		}
		seen[f.Name] = true
		if err := f.sound(); err != nil {
			complain("field %q: %w", f.Name, err)
		}
	}
	return errors.Join(append(problems, t.signalsSound(), t.placesSound())...)
}

// placesSound holds that exporters mention only what there is.
func (t Type) placesSound() error {
	var problems []error
	for _, e := range t.Exporters {
		for _, place := range placesIn(e.Config) {
			if _, known := t.Field(place.field); !known {
				problems = append(problems, fmt.Errorf("exporter %s mentions %s, which is not a field", e.Type, place.field))
			}
			if place.filter != "" && place.filter != filterPlaintext {
				problems = append(problems, fmt.Errorf("exporter %s uses the unknown filter %s", e.Type, place.filter))
			}
		}
	}
	return errors.Join(problems...)
}

func (f Field) sound() error {
	switch {
	case !fieldName.MatchString(f.Name):
		return errors.New("the name must be lower case letters, digits and underscores")
	case f.Title == "" || f.Help == "":
		return errors.New("title and help are required")
	case f.Required && f.Default != "":
		return errors.New("a required field has no default")
	case !f.Address.known():
		return fmt.Errorf("unknown kind of address %q", f.Address)
	case !f.Format.known():
		return fmt.Errorf("unknown format %q", f.Format)
	}
	if err := f.secretSound(); err != nil {
		return err
	}
	if _, err := regexp.Compile(f.Pattern); err != nil {
		return fmt.Errorf("pattern: %w", err)
	}
	if f.Default != "" {
		return f.Check(f.Default)
	}
	return nil
}

// secretSound holds what is so of secret fields only.
func (f Field) secretSound() error {
	switch {
	case !f.Secret:
		return nil
	case f.Format != "":
		return errors.New("a secret field has no format: all of them are headers")
	case f.Default != "":
		return errors.New("a secret field has no default")
	}
	return nil
}

// signalsSound holds that each signal of the type has exactly one exporter.
func (t Type) signalsSound() error {
	if len(t.Signals) == 0 {
		return errors.New("signals are required")
	}
	served := map[odiv1.Signal]int{}
	for _, e := range t.Exporters {
		for _, s := range e.Signals {
			served[s]++
			if !slices.Contains(t.Signals, s) {
				return fmt.Errorf("exporter %s serves %s, which the type does not take", e.Type, s)
			}
		}
	}
	for _, s := range t.Signals {
		if served[s] != 1 {
			return fmt.Errorf("%s is served by %d exporters, not by one", s, served[s])
		}
	}
	return nil
}

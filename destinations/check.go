package destinations

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// FieldError is a problem with one field, in words for the user.
type FieldError struct {
	Field   string
	Problem string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// Check judges what a user wrote: the plain fields, and the names of the secret
// ones that are at hand. It returns every problem, each a *FieldError.
func (t Type) Check(config map[string]string, secrets []string) error {
	var problems []error
	complain := func(field, format string, args ...any) {
		problems = append(problems, &FieldError{Field: field, Problem: fmt.Sprintf(format, args...)})
	}
	for _, name := range slices.Sorted(maps.Keys(config)) {
		f, known := t.Field(name)
		if !known {
			complain(name, "unknown field of type %s; valid fields: %s", t.Name, t.fieldNames(false))
			continue
		}
		if f.Secret {
			complain(name, "it is secret: put it into the Secret that spec.secretRef names, not into spec.config")
			continue
		}
		if err := f.Check(config[name]); err != nil {
			complain(name, "%s", err.Error())
		}
	}
	if len(problems) == 0 {
		problems = append(problems, t.checkTogether(config, secrets))
	}
	return errors.Join(append(problems, t.checkRequired(config, secrets))...)
}

func (t Type) checkRequired(config map[string]string, secrets []string) error {
	var problems []error
	for _, f := range t.Fields {
		switch {
		case !f.Required:
		case f.Secret && !slices.Contains(secrets, f.Name):
			problems = append(problems, &FieldError{Field: f.Name, Problem: "required, and the Secret has no such key"})
		case !f.Secret && config[f.Name] == "":
			problems = append(problems, &FieldError{Field: f.Name, Problem: "required. " + f.Help})
		}
	}
	return errors.Join(problems...)
}

// CheckSignals judges the signals that a user chose.
func (t Type) CheckSignals(signals []odiv1.Signal) error {
	for _, s := range signals {
		if !slices.Contains(t.Signals, s) {
			return &FieldError{Field: "signals", Problem: fmt.Sprintf("type %s takes no %s; valid signals: %s", t.Name, s, joined(t.Signals))}
		}
	}
	return nil
}

// SecretFields lists the names of the secret fields.
func (t Type) SecretFields() []string {
	var names []string
	for _, f := range t.Fields {
		if f.Secret {
			names = append(names, f.Name)
		}
	}
	return names
}

func (t Type) fieldNames(secret bool) string {
	var names []string
	for _, f := range t.Fields {
		if f.Secret == secret {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, ", ")
}

// Check judges one value.
func (f Field) Check(value string) error {
	if err := f.checkLength(value); err != nil {
		return err
	}
	if len(f.Enum) > 0 && !slices.Contains(f.Enum, value) {
		return fmt.Errorf("%q is not valid; valid values: %s", f.shown(value), strings.Join(f.Enum, ", "))
	}
	if f.Address != "" {
		if err := f.Address.check(value); err != nil {
			return fmt.Errorf("%q is not valid: %w. %s", f.shown(value), err, f.Help)
		}
	}
	if value != "" {
		if err := f.Format.check(value); err != nil {
			return fmt.Errorf("%w. %s", err, f.Help)
		}
	}
	if !f.Format.pem() {
		if err := checkLine(value); err != nil {
			return err
		}
	}
	return f.checkPattern(value)
}

func (f Field) checkPattern(value string) error {
	if f.Pattern == "" {
		return nil
	}
	matched, err := regexp.MatchString(f.Pattern, value)
	if err != nil {
		return fmt.Errorf("compiling the pattern: %w", err)
	}
	if !matched {
		return fmt.Errorf("%q is not valid. %s", f.shown(value), f.Help)
	}
	return nil
}

// checkLine judges what ends in a header or an address, without a word of it: gRPC
// takes printable ASCII only, and HTTP no line break.
func checkLine(value string) error {
	for i, r := range value {
		switch {
		case r == '\n' || r == '\r':
			return fmt.Errorf("it has a line break after %d characters; a header's value is one line", i)
		case r < ' ' || r > '~':
			return fmt.Errorf("character %d is not printable ASCII, which is all that a header can carry", i+1)
		}
	}
	return nil
}

// CheckSecrets judges the values of the secret fields. It returns every problem, each a *FieldError.
func (t Type) CheckSecrets(secrets map[string]string) error {
	var problems []error
	for _, f := range t.Fields {
		value, given := secrets[f.Name]
		if !f.Secret || !given {
			continue
		}
		if err := f.Check(value); err != nil {
			problems = append(problems, &FieldError{Field: f.Name, Problem: err.Error()})
		}
	}
	if len(problems) == 0 {
		return t.checkPair(secrets)
	}
	return errors.Join(problems...)
}

// shown keeps secrets out of messages and messages short.
func (f Field) shown(value string) string {
	if f.Secret {
		return "***"
	}
	return shortened(value)
}

func shortened(value string) string {
	const longest = 80
	if len(value) > longest {
		return strings.ToValidUTF8(value[:longest], "") + "..."
	}
	return value
}

func joined(signals []odiv1.Signal) string {
	words := make([]string, len(signals))
	for i, s := range signals {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

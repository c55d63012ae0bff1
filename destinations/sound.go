package destinations

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

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
		if _, known := t.Field(f.Needs); f.Needs != "" && !known {
			complain("field %q needs %s, which is not a field", f.Name, f.Needs)
		}
	}
	return errors.Join(append(problems, t.signalsSound(), t.placesSound())...)
}

// placesSound holds that exporters mention only what there is, and put into an
// address only what cannot change where it leads.
func (t Type) placesSound() error {
	var problems []error
	for _, e := range t.Exporters {
		for _, place := range placesIn(e.Config) {
			if err := t.placeSound(place); err != nil {
				problems = append(problems, fmt.Errorf("exporter %s %w", e.Type, err))
			}
		}
		for _, place := range placesIn(e.OAuth2) {
			if err := t.placeSound(place); err != nil {
				problems = append(problems, fmt.Errorf("tokens for exporter %s: it %w", e.Type, err))
			}
		}
		if err := t.endpointSound(e.OAuth2[tokenURL]); err != nil {
			problems = append(problems, fmt.Errorf("tokens for exporter %s: %w", e.Type, err))
		}
		for key, item := range e.Config {
			if key != "endpoint" && !strings.HasSuffix(key, "_endpoint") {
				continue
			}
			if err := t.endpointSound(item); err != nil {
				problems = append(problems, fmt.Errorf("exporter %s: %s: %w", e.Type, key, err))
			}
		}
	}
	return errors.Join(problems...)
}

func (t Type) placeSound(place mention) error {
	f, known := t.Field(place.field)
	other, otherKnown := t.Field(place.other)
	switch {
	case !known:
		return fmt.Errorf("mentions %s, which is not a field", place.field)
	case place.other != "" && (!otherKnown || other.Secret):
		return fmt.Errorf("mentions %s, which is not a plain field", place.other)
	case place.filter == filterBasic && (!f.Secret || place.other == ""):
		return fmt.Errorf("needs a secret and a plain field for %s", filterBasic)
	case !slices.Contains([]string{"", filterPlaintext, filterBasic}, place.filter):
		return fmt.Errorf("uses the unknown filter %s", place.filter)
	}
	return nil
}

// endpointSound judges an address's template. What users say may be its beginning, or
// a part of it that has no character with a meaning; a domain they choose ends in the vendor's.
func (t Type) endpointSound(template any) error {
	text, _ := template.(string)
	for i, place := range placesIn(text) {
		f, _ := t.Field(place.field)
		begins := i == 0 && strings.HasPrefix(text, "{{"+place.field+"}}")
		switch {
		case f.Secret:
			return fmt.Errorf("%s is secret, and addresses are printed: put ~ there, and the secret into the header odi-path", place.field)
		case f.Address != "" && begins, f.Format == FormatHost, f.Format == FormatPath, len(f.Enum) > 0:
		default:
			return fmt.Errorf("%s is not of format host or path", place.field)
		}
	}
	return t.hostSound(text)
}

// hostSound holds that a host with a free part in it ends in a vendor's domain.
func (t Type) hostSound(text string) error {
	rest, constant := strings.CutPrefix(text, "https://")
	host, _, _ := strings.Cut(rest, "/")
	if !constant || vendorDomain.MatchString(host) {
		return nil
	}
	for _, place := range placesIn(host) {
		if f, _ := t.Field(place.field); len(f.Enum) == 0 {
			return fmt.Errorf("%s does not end in a vendor's domain", host)
		}
	}
	return nil
}

// vendorDomain is what stands behind the last place of a host.
var vendorDomain = regexp.MustCompile(`\.[a-z0-9-]+\.[a-z]{2,}(:[0-9]+)?$`)

func (f Field) sound() error {
	switch {
	case !fieldName.MatchString(f.Name):
		return errors.New("the name must be lower case letters, digits and underscores")
	case f.Title == "" || f.Help == "":
		return errors.New("title and help are required")
	case f.Required && f.Default != "":
		return errors.New("a required field has no default")
	}
	for _, sound := range []func() error{f.kindSound, f.secretSound, f.examplesSound} {
		if err := sound(); err != nil {
			return err
		}
	}
	return nil
}

// kindSound holds that what values are judged by is known.
func (f Field) kindSound() error {
	switch {
	case !f.Address.known():
		return fmt.Errorf("unknown kind of address %q", f.Address)
	case !f.Format.known():
		return fmt.Errorf("unknown format %q", f.Format)
	case f.Path == "":
	case f.Address != AddressHTTP || !strings.HasPrefix(f.Path, "/") || strings.HasSuffix(f.Path, "/"):
		return errors.New("a path is an http address's, begins with a slash and ends without")
	}
	if _, err := regexp.Compile(f.Pattern); err != nil {
		return fmt.Errorf("pattern: %w", err)
	}
	return nil
}

// examplesSound holds that what is shown to people is valid.
func (f Field) examplesSound() error {
	if f.Required && !f.Secret && f.Example == "" && len(f.Enum) == 0 {
		return errors.New("a required field has an example")
	}
	for _, value := range []string{f.Default, f.Example} {
		if value == "" {
			continue
		}
		if err := f.Check(value); err != nil {
			return err
		}
	}
	return nil
}

// secretSound holds what is so of secret fields only.
func (f Field) secretSound() error {
	switch {
	case !f.Secret:
		return nil
	case f.Format == FormatHeader:
		return errors.New("the name of a header is not secret")
	case f.Format.pem() && !strings.HasSuffix(f.Name, map[Format]string{FormatCertificate: "cert_pem", FormatKey: "key_pem"}[f.Format]):
		// Whoever tries a configuration without its secrets goes by the name.
		return errors.New("the names of PEM secrets end in cert_pem and key_pem")
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

package destinations

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// checkTogether judges what no field says alone: the names of secret fields that
// are at hand count as given.
func (t Type) checkTogether(config map[string]string, secrets []string) error {
	given := func(name string) bool {
		f, _ := t.Field(name)
		return f.Secret && slices.Contains(secrets, name) || config[name] != "" || f.Default != ""
	}
	var problems []error
	for _, f := range t.Fields {
		if f.Needs != "" && (config[f.Name] != "" || f.Secret && slices.Contains(secrets, f.Name)) && !given(f.Needs) {
			problems = append(problems, &FieldError{Field: f.Needs, Problem: fmt.Sprintf("%s is set, and means nothing without it", f.Name)})
		}
	}
	return errors.Join(append(problems, t.checkHeadersOnce(config, secrets))...)
}

// checkHeadersOnce finds headers that two fields make: only one of them would be sent.
func (t Type) checkHeadersOnce(config map[string]string, secrets []string) error {
	references := map[string]string{}
	for _, name := range secrets {
		references[name] = "${secret:" + name + "}"
	}
	values := t.values(config, references)
	for _, e := range t.Exporters {
		headers, _ := e.Config["headers"].(map[string]any)
		seen := map[string]string{}
		if values.oauth2(e) != nil {
			seen["authorization"] = fmt.Sprint(e.OAuth2[tokenURL])
		}
		for key, item := range headers {
			name, named := values.fillText(key)
			text, isText := name.(string)
			if _, kept := values.fill(item); !kept || !named || !isText {
				continue
			}
			lower := strings.ToLower(text)
			if other, twice := seen[lower]; twice {
				return &FieldError{Field: fieldOf(key, other), Problem: fmt.Sprintf("the header %s is sent already, by another field", lower)}
			}
			seen[lower] = key
		}
	}
	return nil
}

// fieldOf is the field that the longest template with a place mentions.
func fieldOf(templates ...string) string {
	slices.SortFunc(templates, func(a, b string) int { return cmp.Compare(len(a), len(b)) }) // The order of a map is by chance.
	for i := len(templates) - 1; i >= 0; i-- {
		if places := placesIn(templates[i]); len(places) > 0 {
			return places[0].field
		}
	}
	return "headers"
}

// checkPair judges a client's certificate and its key, which the collector takes only together.
func (t Type) checkPair(secrets map[string]string) error {
	certificate, key := "", ""
	for _, f := range t.Fields {
		switch {
		case !f.Secret:
		case f.Format == FormatCertificate:
			certificate = f.Name
		case f.Format == FormatKey:
			key = f.Name
		}
	}
	if secrets[certificate] == "" || secrets[key] == "" {
		return nil
	}
	if _, err := tls.X509KeyPair([]byte(secrets[certificate]), []byte(secrets[key])); err != nil {
		return &FieldError{Field: key, Problem: "it is not the key of " + certificate}
	}
	return nil
}

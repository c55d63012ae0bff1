package destinations

import (
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// place matches {{field}}, {{field|filter}} and {{field|filter:field}}.
var place = regexp.MustCompile(`\{\{([a-z0-9_]+)(?:\|([a-z]+)(?::([a-z0-9_]+))?)?\}\}`)

const (
	// filterPlaintext makes true of an http:// address and false of an https:// one.
	filterPlaintext = "plaintext"
	// filterBasic makes of a secret, and the plain field that is the user's name, what
	// follows the word Basic in a header. The collector puts it together.
	filterBasic = "basic"
)

// Exporter is one exporter of the collector, ready but for its queue.
type Exporter struct {
	// Type of the exporter in the collector.
	Type string
	// Signals that it serves, of those that the user chose.
	Signals []odiv1.Signal
	// Local exporters send nothing over a network.
	Local bool
	// Config of the exporter.
	Config map[string]any
	// OAuth2 is what tokens for it are fetched with, nil for none.
	OAuth2 map[string]any `json:",omitempty"`
}

// Render makes the exporters for some signals (none means all that the type
// takes). Config holds the plain fields; secrets holds, for each secret field
// that is set, the reference that the collector replaces by the secret.
//
// In a template, {{field}} stands for a field's value. A key whose value
// mentions a field that is not set is left out, and so is what becomes empty
// by that. Where the place is all of the text and the field's values are
// "true" and "false", it becomes a boolean. {{endpoint|plaintext}} is true for http://, and
// {{password|basic:username}} is a reference to both, as a header has them. Values but addresses stay what they are: the
// collector expands ${...}, so a dollar sign in a plain value is escaped.
func (t Type) Render(config, secrets map[string]string, signals []odiv1.Signal) []Exporter {
	values := t.values(config, secrets)
	var exporters []Exporter
	for _, e := range t.Exporters {
		served := chosen(e.Signals, signals)
		if len(served) == 0 {
			continue
		}
		filled, _ := values.fill(e.Config)
		rendered, _ := filled.(map[string]any)
		exporters = append(exporters, Exporter{Type: e.Type, Signals: served, Local: e.Local, Config: rendered, OAuth2: values.oauth2(e)})
	}
	return exporters
}

// oauth2 is what tokens are fetched with, nil while users do not say where.
func (v values) oauth2(e Template) map[string]any {
	filled, _ := v.fill(e.OAuth2)
	rendered, _ := filled.(map[string]any)
	if rendered[tokenURL] == nil {
		return nil
	}
	return rendered
}

// tokenURL is the key of a token endpoint's address in a template.
const tokenURL = "token_url"

// chosen keeps those of offered that are wanted; none wanted means all.
func chosen(offered, wanted []odiv1.Signal) []odiv1.Signal {
	if len(wanted) == 0 {
		return offered
	}
	var both []odiv1.Signal
	for _, s := range offered {
		if slices.Contains(wanted, s) {
			both = append(both, s)
		}
	}
	return both
}

// value of a field as it goes into a configuration.
type value struct {
	text    string // escaped, or a reference to a secret
	raw     string // as the user wrote it; empty for secrets
	boolean bool
}

type values map[string]value

func (t Type) values(config, secrets map[string]string) values {
	set := values{}
	for _, f := range t.Fields {
		if f.Secret {
			if reference := secrets[f.Name]; reference != "" {
				set[f.Name] = value{text: reference}
			}
			continue
		}
		raw := config[f.Name]
		if raw == "" {
			raw = f.Default
		}
		if f.Address != "" {
			raw = f.tidy(raw)
		}
		if raw != "" {
			boolean := len(f.Enum) == 2 && slices.Contains(f.Enum, "true") && slices.Contains(f.Enum, "false")
			set[f.Name] = value{text: strings.ReplaceAll(raw, "$", "$$"), raw: raw, boolean: boolean}
		}
	}
	return set
}

// fill copies a template with its places filled; false means that it is to be left out.
func (v values) fill(template any) (any, bool) {
	switch t := template.(type) {
	case string:
		return v.fillText(t)
	case []any:
		return v.fillList(t)
	case map[string]any:
		return v.fillObject(t)
	case float64:
		// Numbers come from JSON; a collector that wants 1000000 does not take 1e+06.
		if whole := int64(t); float64(whole) == t {
			return whole, true
		}
	}
	return template, true
}

func (v values) fillList(template []any) (any, bool) {
	list := []any{}
	for _, item := range template {
		if filled, kept := v.fill(item); kept {
			list = append(list, filled)
		}
	}
	return list, len(list) > 0
}

func (v values) fillObject(template map[string]any) (any, bool) {
	object := map[string]any{}
	for key, item := range template {
		name, named := v.fillText(key)
		filled, kept := v.fill(item)
		if text, isText := name.(string); named && kept && isText {
			object[text] = filled
		}
	}
	return object, len(object) > 0
}

func (v values) fillText(text string) (any, bool) {
	places := place.FindAllStringSubmatch(text, -1)
	for _, p := range places {
		_, set := v[p[1]]
		if _, other := v[p[3]]; !set || p[3] != "" && !other {
			return nil, false
		}
	}
	if len(places) == 1 && places[0][0] == text {
		field := v[places[0][1]]
		switch {
		case places[0][2] == filterPlaintext:
			return strings.HasPrefix(field.raw, "http://"), true
		case field.boolean:
			return field.raw == "true", true
		}
	}
	return place.ReplaceAllStringFunc(text, func(p string) string {
		parts := place.FindStringSubmatch(p)
		if parts[2] == filterBasic {
			return basic(v[parts[3]].raw, v[parts[1]].text)
		}
		return v[parts[1]].text
	}), true
}

// basic is a reference to name:password in base64. The name is in hex: it may have any character.
func basic(name, reference string) string {
	return strings.Replace(reference, "${secret:", "${basic:"+hex.EncodeToString([]byte(name))+":", 1)
}

// mention is one place in a template.
type mention struct{ field, filter, other string }

// placesIn lists the places of a template at any depth, keys included.
func placesIn(template any) []mention {
	var found []mention
	switch t := template.(type) {
	case string:
		for _, p := range place.FindAllStringSubmatch(t, -1) {
			found = append(found, mention{field: p[1], filter: p[2], other: p[3]})
		}
	case []any:
		for _, item := range t {
			found = append(found, placesIn(item)...)
		}
	case map[string]any:
		for key, item := range t {
			found = append(found, placesIn(key)...)
			found = append(found, placesIn(item)...)
		}
	}
	return found
}

package samplerule

import (
	"fmt"
	"regexp"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// Bounds and forms are those of the API (spec.sampling.rules).
const (
	// Most is how many rules there may be.
	Most    = 16
	pathMax = 128 // without the star
)

var (
	methods = regexp.MustCompile(`^[A-Z]{0,7}$`)
	paths   = regexp.MustCompile(`^/[!"$-)+->@-~]*[*]?$`)
	ratios  = regexp.MustCompile(`^(0|1|0[.][0-9]{1,6}|1[.]0{1,6})$`)
)

// Parse reads "[METHOD ]PATH=RATIO".
func Parse(text string) (odiv1.SamplingRule, error) {
	at := strings.LastIndexByte(text, '=')
	if at < 0 {
		return odiv1.SamplingRule{}, fmt.Errorf("%q is no rule: write a path and its share, such as /healthz=0, or POST /orders/*=1", text)
	}
	rule := odiv1.SamplingRule{Path: text[:at], Ratio: text[at+1:]}
	if method, path, ok := strings.Cut(rule.Path, " "); ok {
		rule.Method, rule.Path = method, path
	}
	switch {
	case !methods.MatchString(rule.Method):
		return rule, fmt.Errorf("%q is no method: write it in capitals, at most 7", rule.Method)
	case !paths.MatchString(rule.Path):
		return rule, fmt.Errorf("%q is no path: it begins with /, has no query, and only a star at its end stands for what follows", rule.Path)
	case len(strings.TrimSuffix(rule.Path, "*")) > pathMax:
		return rule, fmt.Errorf("a path of %d characters; at most %d are taken", len(rule.Path), pathMax)
	case !ratios.MatchString(rule.Ratio):
		return rule, fmt.Errorf("%q is no share: give a number from 0 to 1, such as 0.1, with at most 6 digits behind the point", rule.Ratio)
	}
	return rule, nil
}

// Format writes a rule as Parse reads it.
func Format(rule odiv1.SamplingRule) string {
	if rule.Method != "" {
		return rule.Method + " " + rule.Path + "=" + rule.Ratio
	}
	return rule.Path + "=" + rule.Ratio
}

// List is the value of a flag that may be repeated: the rules in their order. It implements pflag.Value.
type List []odiv1.SamplingRule

// Set implements pflag.Value.
func (l *List) Set(text string) error {
	if len(*l) >= Most {
		return fmt.Errorf("there may be %d rules", Most)
	}
	rule, err := Parse(text)
	if err != nil {
		return err
	}
	*l = append(*l, rule)
	return nil
}

// String implements pflag.Value.
func (l *List) String() string {
	words := make([]string, 0, len(*l))
	for _, rule := range *l {
		words = append(words, Format(rule))
	}
	return strings.Join(words, ", ")
}

// Type implements pflag.Value.
func (l *List) Type() string { return "path=number" }

package samplerule

import (
	"strings"
	"testing"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

func TestRules(t *testing.T) {
	long := "/" + strings.Repeat("a", 127)
	tests := map[string]struct {
		want  odiv1.SamplingRule
		wrong string
	}{
		"/healthz=0":          {want: odiv1.SamplingRule{Path: "/healthz", Ratio: "0"}},
		"POST /orders/*=0.25": {want: odiv1.SamplingRule{Method: "POST", Path: "/orders/*", Ratio: "0.25"}},
		"/a=b=1":              {want: odiv1.SamplingRule{Path: "/a=b", Ratio: "1"}},
		"/*=1.0":              {want: odiv1.SamplingRule{Path: "/*", Ratio: "1.0"}},
		long + "*=1":          {want: odiv1.SamplingRule{Path: long + "*", Ratio: "1"}},
		long + "a=1":          {wrong: "129 characters"},
		"/healthz":            {wrong: "no rule"},
		"":                    {wrong: "no rule"},
		"healthz=0":           {wrong: "no path"},
		"/a*b=0":              {wrong: "no path"},
		"/a?b=0":              {wrong: "no path"},
		"/ä=0":                {wrong: "no path"},
		"get /a=0":            {wrong: "no method"},
		"PROPFIND /a=0":       {wrong: "no method"},
		"/a=10%":              {wrong: "no share"},
		"/a=2":                {wrong: "no share"},
		"/a=":                 {wrong: "no share"},
	}
	for text, tc := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := Parse(text)
			if tc.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wrong) {
					t.Errorf("got %v, %v", got, err)
				}
				return
			}
			if err != nil || got != tc.want || Format(got) != text {
				t.Errorf("got %v (%s), %v", got, Format(got), err)
			}
		})
	}
}

func TestAListIsBounded(t *testing.T) {
	var l List
	for range Most {
		if err := l.Set("/healthz=0"); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Set("/healthz=0"); err == nil || len(l) != Most {
		t.Errorf("%d rules, %v", len(l), err)
	}
}

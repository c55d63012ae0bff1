package probe

import (
	"encoding/binary"
	"strings"
	"testing"
)

// shareSaid compares a request with compiled rules as bpf/http1/rules.h does, and returns how
// many traces are left out; ok: a rule fits.
func shareSaid(set, method, target string) (leftOut uint64, ok bool) {
	line := method + " " + target + " "
	for i := range binary.NativeEndian.Uint32([]byte(set)) {
		rule := []byte(set[rulesHead+int(i)*ruleSize:][:ruleSize])
		length := int(binary.NativeEndian.Uint32(rule[ruleLen:]))
		path := line[len(method)+1:]
		if !masked(line, rule[ruleMethod:ruleMask], rule[ruleMask:ruleLen]) || length >= len(path) || !masked(path, rule[rulePath:rulePathMask], rule[rulePathMask:]) {
			continue
		}
		if binary.NativeEndian.Uint32(rule[rulePrefix:]) == 1 || strings.ContainsRune(" ?#", rune(path[length])) {
			return binary.NativeEndian.Uint64(rule), true
		}
	}
	return 0, false
}

func masked(text string, want, mask []byte) bool {
	for i := range want {
		have := byte(0)
		if i < len(text) {
			have = text[i]
		}
		if (have^want[i])&mask[i] != 0 {
			return false
		}
	}
	return true
}

func TestRulesAreToldInTheirOrder(t *testing.T) {
	rules := []Rule{{Path: "/healthz", Ratio: "0"}, {Method: "POST", Path: "/orders/*", Ratio: "1"}, {Path: "/orders/*", Ratio: "0.5"}}
	s, err := SampleRatio(0.1).WithRules(rules)
	if err != nil || len(s.Rules()) != RulesSize {
		t.Fatalf("%d bytes, %v", len(s.Rules()), err)
	}
	tests := map[string]string{
		"GET /healthz": "0", "GET /healthz?a=/orders/": "0", "GET /healthz/": "", "GET /health": "", "POST /orders/1": "1",
		"POST /orders/": "1", "PUT /orders/1": "0.5", "POST /orders": "", "POSTX /orders/1": "0.5", "GET /": "",
	}
	for request, want := range tests {
		method, target, _ := strings.Cut(request, " ")
		leftOut, ok := shareSaid(s.Rules(), method, target)
		share, _ := ParseSampling(want)
		if ok != (want != "") || ok && leftOut != share.leftOut {
			t.Errorf("%s: %v %x, want %q", request, ok, leftOut, want)
		}
	}
}

func TestRulesThatAreNone(t *testing.T) {
	for name, rules := range map[string][]Rule{
		"too many":          make([]Rule, MaxRules+1),
		"no path":           {{Ratio: "0"}},
		"no share":          {{Path: "/a"}},
		"a wrong share":     {{Path: "/a", Ratio: "10%"}},
		"two stars":         {{Path: "/a**", Ratio: "0"}},
		"a query":           {{Path: "/a?b", Ratio: "0"}},
		"a blank":           {{Path: "/a b", Ratio: "0"}},
		"a long path":       {{Path: "/" + strings.Repeat("a", MaxRulePath), Ratio: "0"}},
		"a long method":     {{Method: "PROPFIND", Path: "/a", Ratio: "0"}},
		"a method in small": {{Method: "get", Path: "/a", Ratio: "0"}},
	} {
		t.Run(name, func(t *testing.T) {
			if s, err := SampleRatio(0.5).WithRules(rules); err == nil || s != SampleRatio(0.5) {
				t.Errorf("taken: %v, %v", s, err)
			}
		})
	}
}

// FuzzRules: what is taken says of a request what its words say, and nothing breaks the layout.
func FuzzRules(f *testing.F) {
	f.Add("GET", "/orders/*", "GET", "/orders/1?page=2")
	f.Add("", "/healthz", "POST", "/healthz")
	f.Add("OPTIONS", "/"+strings.Repeat("a", MaxRulePath-1)+"*", "OPTIONS", "/"+strings.Repeat("a", MaxRulePath))
	f.Fuzz(func(t *testing.T, method, path, asked, target string) {
		s, err := Sampling{}.WithRules([]Rule{{Method: method, Path: path, Ratio: "0"}})
		if err != nil {
			return
		}
		if strings.ContainsAny(asked, " ") || strings.ContainsAny(target, " ") || !strings.HasPrefix(target, "/") {
			return
		}
		prefix, star := strings.CutSuffix(path, "*")
		bare := target
		if at := strings.IndexAny(target, "?#"); at >= 0 {
			bare = target[:at]
		}
		want := (method == "" || asked == method) && (bare == path || star && strings.HasPrefix(bare, prefix))
		if _, got := shareSaid(s.Rules(), asked, target); got != want {
			t.Errorf("%q %q fits %q %q: %v, want %v", method, path, asked, target, got, want)
		}
	})
}

package probe

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Bounds of rules, as the programs have them (bpf/exchange/rules.h) and the API says.
const (
	MaxRules    = 16
	MaxRulePath = 128 // bytes, without the star
)

// Rule says how many of the traces are recorded that a request of a method and path begins.
type Rule struct {
	// Method is one of HTTP's; empty is any.
	Method string
	// Path of the request, without its query; one that ends in * is the beginning of
	// paths. It is compared byte by byte with what the request says.
	Path string
	// Ratio is as ParseSampling takes it.
	Ratio string
}

// String is the rule as it is typed.
func (r Rule) String() string {
	return strings.TrimPrefix(r.Method+" ", " ") + r.Path + "=" + r.Ratio
}

// ruleLayout is struct rule of bpf/exchange/rules.h: left_out, method, mask, len, prefix, path
// and the mask of its bytes.
const (
	rulesHead    = 8
	ruleMethod   = 8
	ruleMask     = 16
	ruleLen      = 24
	rulePrefix   = 28
	rulePath     = 32
	rulePathMask = rulePath + MaxRulePath
	ruleSize     = rulePathMask + MaxRulePath
	// RulesSize is the size of struct rules there.
	RulesSize = rulesHead + MaxRules*ruleSize
)

// WithRules has requests that a rule fits go by the first one that does.
func (s Sampling) WithRules(rules []Rule) (Sampling, error) {
	if len(rules) == 0 {
		return s, nil
	}
	if len(rules) > MaxRules {
		return s, fmt.Errorf("%d rules of sampling; at most %d are taken", len(rules), MaxRules)
	}
	set := make([]byte, RulesSize)
	binary.NativeEndian.PutUint32(set, uint32(len(rules)))
	for i, r := range rules {
		if err := r.compile(set[rulesHead+i*ruleSize:][:ruleSize]); err != nil {
			return s, fmt.Errorf("rule %d of sampling: %w", i+1, err)
		}
	}
	s.rules = string(set)
	return s, nil
}

// Rules is what the kernel is told of them, in its layout; empty: there are none.
func (s Sampling) Rules() string { return s.rules }

// compile writes a rule in the layout of the programs.
func (r Rule) compile(to []byte) error {
	share, err := ParseSampling(r.Ratio)
	if err != nil {
		return err
	}
	if r.Ratio == "" {
		return fmt.Errorf("%q has no share: give a number from 0 to 1, such as 0.1", r.Path)
	}
	binary.NativeEndian.PutUint64(to, share.leftOut)
	if err := compileMethod(r.Method, to); err != nil {
		return err
	}
	path, prefix := strings.CutSuffix(r.Path, "*")
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "*?#") || strings.ContainsFunc(path, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return fmt.Errorf("%q is no path: it begins with /, and only a star at its end stands for what follows", r.Path)
	}
	if len(path) > MaxRulePath {
		return fmt.Errorf("a path of %d bytes; at most %d are taken", len(path), MaxRulePath)
	}
	binary.NativeEndian.PutUint32(to[ruleLen:], uint32(len(path)))
	if prefix {
		binary.NativeEndian.PutUint32(to[rulePrefix:], 1)
	}
	copy(to[rulePath:rulePathMask], path)
	mark(to[rulePathMask:], len(path))
	return nil
}

// methodMax is the longest method that is compared by one word, with the space behind it.
const methodMax = 7

func compileMethod(method string, to []byte) error {
	if method == "" {
		return nil
	}
	if len(method) > methodMax || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return fmt.Errorf("%q is no method: write it in capitals, at most %d", method, methodMax)
	}
	copy(to[ruleMethod:ruleMask], method+" ")
	mark(to[ruleMask:], len(method)+1)
	return nil
}

// mark makes a mask of n bytes.
func mark(to []byte, n int) {
	for i := range n {
		to[i] = 0xff
	}
}

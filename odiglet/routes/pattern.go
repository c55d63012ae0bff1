package routes

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	// MaxPatterns bounds what a user may write down.
	MaxPatterns = 100
	// maxPattern bounds one of them.
	maxPattern = 256
)

// syntax is the one that the API server holds users to.
var syntax = regexp.MustCompile(`^(/[^/{}*?#;\s]*(\{[A-Za-z_][A-Za-z0-9_]*\}[^/{}*?#;\s]*)?)+$`)

// Patterns are a user's routes, such as /orders/{id} and /files/*. They never
// change. The most specific one that fits a path counts: a word before a
// parameter, a parameter before a star.
type Patterns struct {
	texts []string
	root  turn
}

// turn is what may follow at one position.
type turn struct {
	words  map[string]*turn
	params []param
	end    string // the pattern that ends here
	rest   string // the pattern that ends in a star here
}

// param is a segment with a parameter, and what stands around it.
type param struct {
	before, after string
	to            *turn
}

// Compile reads patterns; nil if there are none.
func Compile(texts []string) (*Patterns, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	if len(texts) > MaxPatterns {
		return nil, fmt.Errorf("%d routes are more than %d", len(texts), MaxPatterns)
	}
	p := &Patterns{texts: slices.Clone(texts)}
	for _, text := range texts {
		if err := p.add(text); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Patterns) add(text string) error {
	path, isTree := strings.CutSuffix(text, "/*")
	isAll := isTree && path == "" // "/*"
	if len(text) > maxPattern || !isAll && !syntax.MatchString(path) {
		return fmt.Errorf("the route %q is none: write it as /orders/{id}, or /files/* for all that is below", text)
	}
	at := &p.root
	for s := range strings.SplitSeq(path, "/") {
		if s != "" {
			at = at.follow(s)
		}
	}
	if isTree {
		at.rest = text
	} else {
		at.end = text
	}
	return nil
}

func (t *turn) follow(s string) *turn {
	before, after, isParam := strings.Cut(s, "{")
	if !isParam {
		if t.words == nil {
			t.words = make(map[string]*turn)
		}
		if t.words[s] == nil {
			t.words[s] = &turn{}
		}
		return t.words[s]
	}
	_, after, _ = strings.Cut(after, "}")
	for _, p := range t.params {
		if p.before == before && p.after == after {
			return p.to
		}
	}
	p := param{before, after, &turn{}}
	t.params = append(t.params, p)
	// The most fixed characters first.
	slices.SortStableFunc(t.params, func(a, b param) int {
		return len(b.before) + len(b.after) - len(a.before) - len(a.after)
	})
	return p.to
}

// Equal says whether both were made of the same texts.
func (p *Patterns) Equal(q *Patterns) bool {
	if p == nil || q == nil {
		return p == q
	}
	return slices.Equal(p.texts, q.texts)
}

// match returns the pattern that fits a path; empty if none does.
func (p *Patterns) match(path string) string {
	tries := 256 // a bound on what hostile paths can cost
	return p.root.match(path[:min(len(path), maxPath)], &tries)
}

func (t *turn) match(left string, tries *int) string {
	left = strings.TrimLeft(left, "/")
	if left == "" {
		return t.end
	}
	if *tries--; *tries < 0 {
		return ""
	}
	segment, left, _ := strings.Cut(left, "/")
	name := segment
	if i := strings.IndexByte(segment, ';'); i > 0 {
		name = segment[:i]
	}
	if next, ok := t.words[name]; ok {
		if found := next.match(left, tries); found != "" {
			return found
		}
	}
	for _, p := range t.params {
		if !p.fits(name) {
			continue
		}
		if found := p.to.match(left, tries); found != "" {
			return found
		}
	}
	return t.rest
}

func (p param) fits(segment string) bool {
	return len(segment) > len(p.before)+len(p.after) && strings.HasPrefix(segment, p.before) && strings.HasSuffix(segment, p.after)
}

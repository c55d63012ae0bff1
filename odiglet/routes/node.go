package routes

import (
	"iter"
	"strings"
)

// maxForms bounds the forms of one position, such as {id}.json and {id}.xml.
const maxForms = 16

// node is a position behind the segments that lead to it.
type node struct {
	parent *node
	label  string
	route  *route // of the paths that end here

	words  map[string]*node
	params [parameters]*node
	forms  map[string]*node
	series map[string]bool // stems of numbered words that are a parameter

	variety
}

// walk follows a path; nil if it is not known. A lenient one takes a parameter for
// what it does not know.
func (n *node) walk(q *Query, lenient bool) *node {
	c := newCursor(q)
	for {
		s, ok := c.next()
		if !ok {
			return n
		}
		next := n.child(s, &c)
		if next == nil && lenient {
			next = n.params[identifier-1]
		}
		if next == nil {
			return nil
		}
		n = next
	}
}

// child returns the known child for a segment.
func (n *node) child(s segment, c *cursor) *node {
	switch s.kind {
	case word:
		return n.wordChild(s.text)
	case form:
		if next, ok := n.forms[string(c.form(s.text))]; ok || len(n.forms) < maxForms {
			return next
		}
		return n.params[identifier-1]
	}
	next := n.params[s.kind-1]
	if next != nil && next.visits < 1<<31 {
		next.visits++
	}
	return next
}

func (n *node) wordChild(text string) *node {
	if next, ok := n.words[text]; ok {
		if !n.merged {
			n.visit(next)
		}
		return next
	}
	if n.inSeries(text) || n.merged && !n.admits(text) {
		return n.params[identifier-1]
	}
	return nil
}

// grow follows a path and makes what is missing.
func (n *node) grow(q *Query) *node {
	c := newCursor(q)
	for {
		s, ok := c.next()
		if !ok {
			return n
		}
		next := n.child(s, &c)
		if next == nil {
			next = n.add(s, &c)
		}
		n = next
	}
}

func (n *node) add(s segment, c *cursor) *node {
	switch {
	case s.kind == word && n.isValue(s.text), s.kind == form && len(n.forms) >= maxForms:
		return n.param(identifier)
	case s.kind == word:
		next := &node{parent: n, label: strings.Clone(s.text)}
		next.known, next.doubted = isCommon(s.text), trustOf(c.query.Status) == doubt
		if n.words == nil {
			n.words = make(map[string]*node)
		}
		n.words[next.label] = next
		n.welcome(next)
		return next
	case s.kind == form:
		next := &node{parent: n, label: string(c.form(s.text))}
		if n.forms == nil {
			n.forms = make(map[string]*node)
		}
		n.forms[next.label] = next
		return next
	}
	return n.param(s.kind)
}

// isValue says whether a new word is a value by what is known of its position.
func (n *node) isValue(text string) bool {
	return n.inSeries(text) || n.merged && !n.admits(text) || n.hasIdentifiers() && isStray(text)
}

// param returns the child of a kind of parameter.
func (n *node) param(k kind) *node {
	if n.params[k-1] == nil {
		n.params[k-1] = &node{parent: n, label: k.String()}
	}
	return n.params[k-1]
}

// title is the template of the paths that end here.
func (n *node) title() string {
	if n.parent == nil {
		return "/"
	}
	var labels []string
	for at := n; at.parent != nil; at = at.parent {
		labels = append(labels, at.label)
	}
	var b strings.Builder
	for i := len(labels) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(labels[i])
	}
	return b.String()
}

// depth is how many segments lead here.
func (n *node) depth() (depth int) {
	for at := n; at.parent != nil; at = at.parent {
		depth++
	}
	return depth
}

// all yields the node and everything below.
func (n *node) all() iter.Seq[*node] {
	return func(yield func(*node) bool) { n.visitAll(yield) }
}

func (n *node) visitAll(yield func(*node) bool) bool {
	if !yield(n) {
		return false
	}
	for child := range n.children() {
		if !child.visitAll(yield) {
			return false
		}
	}
	return true
}

func (n *node) children() iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for _, children := range []map[string]*node{n.words, n.forms} {
			for _, child := range children {
				if !yield(child) {
					return
				}
			}
		}
		for _, child := range n.params {
			if child != nil && !yield(child) {
				return
			}
		}
	}
}

// routes counts the routes from here on.
func (n *node) routes() (count int) {
	for at := range n.all() {
		if at.route != nil {
			count++
		}
	}
	return count
}

// retitle names the routes from here on anew after a merge; it says how many have changed.
func (n *node) retitle() (changed int) {
	for at := range n.all() {
		if at.route == nil {
			continue
		}
		if title := at.title(); title != at.route.title {
			at.route.title, at.route.spans = title, nil
			changed++
		}
	}
	return changed
}

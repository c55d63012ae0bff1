package routes

import "strings"

// manySteps is more than the steps of a wizard: order-1 to order-8 are values,
// step-1 to step-4 may be pages.
const manySteps = 8

// stem returns what stands before the number that ends a word; empty if there is
// none, and for versions, which are few.
func stem(text string) string {
	end := strings.TrimRight(text, "0123456789")
	if len(end) == len(text) || isVersion(text) {
		return ""
	}
	return end
}

// inSeries says whether a word is one of a series that became a parameter.
func (n *node) inSeries(text string) bool { return n.series != nil && n.series[stem(text)] }

// begin makes a series a parameter.
func (n *node) begin(stem string) {
	if n.series == nil {
		n.series = make(map[string]bool)
	}
	n.series[stem] = true
}

// mergeSeries makes one parameter of numbered words once they are many. It says
// whether child, which is new, was one of them.
func (n *node) mergeSeries(child *node) bool {
	s := stem(child.label)
	if s == "" || n.words[child.label] != child {
		return false
	}
	var all []*node
	for label, other := range n.words {
		if stem(label) == s {
			all = append(all, other)
		}
	}
	if len(all) < manySteps {
		return false
	}
	n.begin(s)
	for _, one := range all {
		delete(n.words, one.label)
		n.param(identifier).unite(one)
	}
	n.recount()
	n.param(identifier).mergeBelow()
	return true
}

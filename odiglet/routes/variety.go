package routes

import "slices"

// A position of a path holds either a few fixed words (/api/users, /api/orders)
// or values (/users/alice, /users/bob). The difference shows in what comes back:
// of fixed words every one, of values hardly any.
const (
	// manyNew is how many words a position has at least before it may vary, if
	// hardly any of them came back.
	manyNew = 24
	// many words that did not settle vary in any case ...
	many = 40
	// ... but not if a third of them is in the vocabulary of APIs: a list of a
	// hundred resources is one of fixed words.
	manyCommon = 128
	// manyAlike is enough where the same word leads to values elsewhere
	// (/eu/users/alice after /us/users/bob), and among identifiers.
	manyAlike = 8
	// settled is how often a word came before it is no candidate any more. Words
	// that come that much more often than most are kept when the others merge.
	settled = 8
	// latecomers bounds the words of the vocabulary that a position which varies
	// may still get as words, such as /users/me.
	latecomers = 16
)

// variety is what a node remembers of the words that were seen at its position.
type variety struct {
	// merged says that words are parameters here, but for those that were kept.
	merged bool
	// room is for how many words of the vocabulary there is room after that.
	room int

	last   *node // the word that came last
	young  int   // words that are not settled
	common int   // of these, words of the vocabulary
	once   int   // words that came once
	twice  int   // words that came twice

	// Of the node itself, as a child of its parent.
	visits uint32
	known  bool // in the vocabulary
	// doubted words were learned from an answer that proves nothing: they are no
	// candidates.
	doubted bool
}

// welcome counts a new word.
func (n *node) welcome(child *node) {
	if n.merged {
		n.room--
		return
	}
	child.visits = 1
	if child.doubted {
		child.visits = settled
	}
	n.last = child
	n.count(child, 1)
}

// visit counts a word that came again. A run of the same word counts as one:
// who opens one page makes several requests.
func (n *node) visit(child *node) {
	if n.last == child {
		return
	}
	n.last = child
	if child.visits >= settled {
		if child.visits < 1<<31 {
			child.visits++
		}
		return
	}
	n.count(child, -1)
	child.visits++
	n.count(child, 1)
}

// count adds a word to the counters, or takes it off.
func (n *node) count(child *node, by int) {
	if child.visits >= settled {
		return
	}
	n.young += by
	if child.known {
		n.common += by
	}
	switch child.visits {
	case 1:
		n.once += by
	case 2:
		n.twice += by
	}
}

// varies says whether the words of the position are values. alike says that those
// of another position are, to which the same word leads.
func (n *node) varies(alike bool) bool {
	if n.merged || n.young < manyAlike {
		return false
	}
	// The number of words that exist, from how many were seen once and twice
	// (Chao 1984), tells a position without an end.
	exist := n.young + n.once*(n.once-1)/(2*(n.twice+1))
	switch {
	case n.isCommon():
		return n.young >= manyCommon
	case n.young >= many:
		return true
	case n.young >= manyNew:
		return exist >= 8*n.young
	}
	return (alike || n.hasIdentifiers()) && exist >= 4*n.young
}

// hasIdentifiers says whether values of another look are at the position.
func (n *node) hasIdentifiers() bool {
	ids := n.params[identifier-1]
	return ids != nil && ids.visits >= manyNew
}

// isCommon says whether the candidates are words as APIs have them.
func (n *node) isCommon() bool { return 3*n.common >= n.young }

// admits says whether a word may be new at a position that varies.
func (n *node) admits(text string) bool { return n.room > 0 && isCommon(text) }

// merge makes one parameter of the words of the position.
func (n *node) merge() {
	common := n.isCommon()
	from := n.outliers()
	n.merged = true
	n.last = nil
	if !common {
		n.room = latecomers
	}
	into := n.param(identifier)
	for label, child := range n.words {
		if child.isKept(from) || child.known && !common {
			continue
		}
		delete(n.words, label)
		into.unite(child)
	}
	into.mergeBelow()
}

// outliers is how often a word came that came far more often than the candidates.
func (n *node) outliers() uint32 {
	var visits []uint32
	for _, child := range n.words {
		if child.visits < settled {
			visits = append(visits, child.visits)
		}
	}
	if len(visits) == 0 {
		return settled
	}
	slices.Sort(visits)
	return settled * max(1, visits[len(visits)/4])
}

// isKept says whether a word came that often of its own.
func (n *node) isKept(from uint32) bool {
	if n.doubted {
		from += settled
	}
	return n.visits >= from
}

// unite takes over everything of another node.
func (n *node) unite(other *node) {
	n.route = sum(n.route, other.route)
	for i, child := range other.params {
		if child != nil {
			n.param(kind(i + 1)).unite(child)
		}
	}
	for label, child := range other.forms {
		n.adopt(&n.forms, label, child)
	}
	for label, child := range other.words {
		if n.words[label] == nil && n.takes(child) {
			n.param(identifier).unite(child)
			continue
		}
		n.adopt(&n.words, label, child)
	}
	for s := range other.series {
		n.begin(s)
	}
	if other.merged && !n.merged {
		n.merge()
	}
	n.recount()
}

// takes says whether a word of a united position is a value here.
func (n *node) takes(child *node) bool {
	return n.inSeries(child.label) || n.merged && (!child.known || n.room <= 0)
}

// sum is one route for two, either of which may be nil.
func sum(a, b *route) *route {
	if a == nil {
		return b
	}
	if b != nil {
		a.count += b.count
	}
	return a
}

func (n *node) adopt(children *map[string]*node, label string, child *node) {
	if mine, ok := (*children)[label]; ok {
		mine.visits += child.visits
		mine.unite(child)
		return
	}
	if *children == nil {
		*children = make(map[string]*node)
	}
	child.parent = n
	(*children)[label] = child
}

// recount makes the counters fit the words.
func (n *node) recount() {
	n.last, n.young, n.common, n.once, n.twice = nil, 0, 0, 0, 0
	for _, child := range n.words {
		n.count(child, 1)
	}
}

// mergeBelow merges what varies after a merge above: each user has few posts,
// all of them have many.
func (n *node) mergeBelow() {
	if n.varies(false) {
		n.merge()
		return
	}
	for child := range n.children() {
		child.mergeBelow()
	}
}

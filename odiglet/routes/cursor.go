package routes

import "strings"

const (
	// maxDepth is where a path ends in *: deeper ones are trees of files.
	maxDepth = 12
	// maxPath is how much of a path is looked at.
	maxPath = 512
	// assetDepth is how many words in a row may lead to a static file.
	assetDepth = 2
)

// segment is one step of a path.
type segment struct {
	text string
	kind kind
}

// cursor reads a path segment by segment. Empty segments and a slash at the end
// make no difference: most routers send both the same way.
type cursor struct {
	left  string
	depth int
	words int // in a row
	asset bool
	cut   bool
	query *Query
}

func newCursor(q *Query) cursor {
	c := cursor{left: q.Path, cut: q.Cut, query: q}
	if len(c.left) > maxPath {
		c.left, c.cut = c.left[:maxPath], true
	}
	c.asset = !c.cut && isAsset(c.left)
	return c
}

// next returns the next segment; false at the end.
func (c *cursor) next() (segment, bool) {
	c.left = strings.TrimLeft(c.left, "/")
	if c.left == "" {
		return segment{}, false
	}
	text, left := c.left, ""
	if i := strings.IndexByte(c.left, '/'); i >= 0 {
		text, left = c.left[:i], c.left[i:]
	}
	isLast := strings.TrimLeft(left, "/") == ""
	if c.ends(left, isLast) {
		c.left = ""
		return segment{text, rest}, true
	}
	c.left = left
	c.depth++
	if c.asset && isLast {
		return segment{text, fileOrWord(text)}, true
	}
	s := look(text)
	c.words++
	if s.kind != word {
		c.words = 0
	}
	return s, true
}

// ends says whether all that is left is one star.
func (c *cursor) ends(left string, isLast bool) bool {
	return c.depth == maxDepth || c.cut && left == "" || c.asset && !isLast && c.words >= assetDepth
}

// form writes the label of a segment that is a form. It is valid until the next call.
func (c *cursor) form(text string) []byte { return appendForm(c.query.label[:0], text) }

package output

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Printable keeps what others have named from steering the terminal.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// maxNames is how many are named in a line.
const maxNames = 5

// Worst lists the names with the largest counts, the largest first; empty for none.
func Worst(counts map[string]uint64) string {
	all := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var texts []string
	for _, name := range all[:min(len(all), maxNames)] {
		texts = append(texts, fmt.Sprintf("%s %d", Printable(name), counts[name]))
	}
	if len(all) > maxNames {
		texts = append(texts, "and others")
	}
	return strings.Join(texts, ", ")
}

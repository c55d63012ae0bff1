package destinations

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// UnknownTypeError says that there is no room of a name.
type UnknownTypeError struct {
	Type string
	// Similar are names of rooms that may have been meant, the likeliest first.
	Similar []string
	// Known is how many rooms there are.
	Known int
}

// Error implements error.
func (e *UnknownTypeError) Error() string {
	meant := ""
	if len(e.Similar) > 0 {
		meant = "did you mean " + strings.Join(e.Similar, " or ") + "? "
	}
	return fmt.Sprintf("unknown destination type %q; %sodi destination types lists all %d", shortened(e.Type), meant, e.Known)
}

// mostSimilar is how many names a message offers.
const mostSimilar = 3

func unknown(name string, types []Type) error {
	type candidate struct {
		name string
		far  int
	}
	var candidates []candidate
	lower := strings.ToLower(shortened(name))
	for _, t := range types {
		far := distance(lower, t.Name)
		if strings.Contains(t.Name, lower) && len(lower) > 2 || strings.Contains(plain(t.Title), plain(lower)) && len(plain(lower)) > 2 {
			far = 0
		}
		// Half of the letters may be wrong: more is another word.
		if far <= len(t.Name)/2 {
			candidates = append(candidates, candidate{t.Name, far})
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.far, b.far) })
	problem := &UnknownTypeError{Type: name, Known: len(types)}
	for _, c := range candidates[:min(len(candidates), mostSimilar)] {
		if c.far == candidates[0].far {
			problem.Similar = append(problem.Similar, c.name)
		}
	}
	return problem
}

// plain keeps letters and digits: New Relic, new-relic and newrelic are one word.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(text))
}

// distance is how many letters differ: changed, added, left out.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// Find lists the types that have a word in name, title, category, signals or the
// names of their fields, whatever its case.
func Find(word string) ([]Type, error) {
	types, err := Types()
	if err != nil || word == "" {
		return types, err
	}
	return slices.DeleteFunc(types, func(t Type) bool { return !t.has(strings.ToLower(word)) }), nil
}

func (t Type) has(word string) bool {
	words := []string{t.Name, t.Title, t.Category}
	for _, s := range t.Signals {
		words = append(words, string(s))
	}
	return slices.ContainsFunc(words, func(text string) bool {
		return strings.Contains(strings.ToLower(text), word) || plain(word) != "" && strings.Contains(plain(text), plain(word))
	})
}

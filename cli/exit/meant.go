package exit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Meant is the word of known that somebody seems to have meant; empty when none is near.
func Meant(typed string, known []string) string {
	typed = strings.ToLower(typed)
	best, far := "", 0
	for _, word := range known {
		d := distance(typed, word)
		if len(typed) > 2 && strings.HasPrefix(word, typed) {
			d = 0
		}
		// A third of the letters may be wrong: more is another word.
		if d <= max(1, len(word)/3) && (best == "" || d < far) {
			best, far = word, d
		}
	}
	return best
}

// suggestion is Meant as the end of a sentence.
func suggestion(typed string, known []string) string {
	if word := Meant(typed, known); word != "" {
		return "; did you mean " + word + "?"
	}
	return ""
}

// FlagSuggestion ends the sentence about a flag that does not exist; empty when none is near, or the error is another.
func FlagSuggestion(cmd *cobra.Command, err error) string {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) || len(missing.GetSpecifiedName()) < 2 {
		return ""
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			known = append(known, f.Name)
		}
	})
	if name := Meant(missing.GetSpecifiedName(), known); name != "" {
		return "; did you mean --" + name + "?"
	}
	return ""
}

// FlagError says of a number that is none in words what strconv says in its own; another error is as it was.
func FlagError(err error) error {
	var value *pflag.InvalidValueError
	var number *strconv.NumError
	if !errors.As(err, &value) || !errors.As(err, &number) {
		return err
	}
	what := "no number"
	switch {
	case number.Func == "ParseBool":
		what = "neither true nor false"
	case errors.Is(number, strconv.ErrRange):
		what = "out of range"
	}
	return fmt.Errorf("--%s: %q is %s", value.GetFlag().Name, value.GetValue(), what)
}

// distance is how many letters differ: changed, added, left out, or two of them turned round.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			changed := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				changed++
			}
			rows[i][j] = min(changed, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

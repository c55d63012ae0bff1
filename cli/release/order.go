package release

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// described is what `git describe` says of a build between two releases: a
// version, the commits since, and the last of them. By the rules of semantic
// versions it would come before that version.
var described = regexp.MustCompile(`^(.+)-(\d+)-g[0-9a-f]{7,40}$`)

// compare orders two versions of odi as cmp.Compare does. known is false where one of
// them is none, such as "dev"; the same text is the same version in any case.
func compare(a, b string) (order int, known bool) {
	if a == b {
		return 0, true
	}
	baseA, commitsA, okA := parse(a)
	baseB, commitsB, okB := parse(b)
	if !okA || !okB {
		return 0, false
	}
	return cmp.Or(baseA.Compare(baseB), cmp.Compare(commitsA, commitsB)), true
}

func parse(text string) (base *semver.Version, commits int, ok bool) {
	text = strings.TrimSuffix(strings.ReplaceAll(text, "_", "+"), "-dirty") // see load
	if m := described.FindStringSubmatch(text); m != nil {
		text = m[1]
		commits, _ = strconv.Atoi(m[2]) // too large a number is no version that anybody made
	}
	base, err := semver.NewVersion(text)
	return base, commits, err == nil
}

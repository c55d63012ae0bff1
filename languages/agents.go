package languages

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/odi-dev/odi/languages/language"
)

// Choice is what a user asks of the agent for a language; the zero value leaves it to odi.
type Choice struct {
	// Version is one of those that this odi knows.
	Version string
	// Image brings an agent of the user's own.
	Image string
}

// Refusal says why there is no agent.
type Refusal int

// The refusals.
const (
	// Granted means that there is an agent.
	Granted Refusal = iota
	// NoAgent means that odi has none for the language.
	NoAgent
	// UnknownVersion means that the user asked for a version that this odi does not know.
	UnknownVersion
	// UnsupportedRuntime means that no release, or not the one that was asked for, works with this version of the runtime.
	UnsupportedRuntime
)

// Agent is the answer of AgentFor.
type Agent struct {
	Refusal Refusal
	// Release that was chosen, where it was granted. One of a user's image has a version that
	// differs from image to image.
	Release language.Release
	// Valid are the versions that there are, the newest first.
	Valid []string
	// Supported says which versions of the runtime agents work with, for example "3.10 to 3.15".
	Supported string
}

// Of finds the room of a language; false when there is none.
func Of(name language.Name) (language.Language, bool) {
	i := slices.IndexFunc(All, func(l language.Language) bool { return l.Name == string(name) })
	if i < 0 {
		return language.Language{}, false
	}
	return All[i], true
}

// AgentFor chooses the agent for a runtime: the newest that works with it, or the user's choice.
func AgentFor(runtime language.Runtime, choice Choice) Agent {
	room, _ := Of(runtime.Language)
	return agentFor(room.Agents, runtime.Version, choice)
}

// imagesOnly are languages whose agent only a user's image can bring, beside those with releases.
var imagesOnly = []language.Name{language.Dotnet}

// CanHaveAgent says whether an agent may be named for a language at all.
func CanHaveAgent(name language.Name) bool {
	room, ok := Of(name)
	return ok && (len(room.Agents) > 0 || slices.Contains(imagesOnly, name))
}

func agentFor(releases []language.Release, version string, choice Choice) Agent {
	a := Agent{Valid: versions(releases), Supported: ranges(releases)}
	if choice.Image != "" {
		// What an image of the user's works with is the user's to know.
		a.Release = language.Release{Version: imageVersion(choice)}
		return a
	}
	switch {
	case choice.Version != "" && !slices.Contains(a.Valid, choice.Version):
		a.Refusal = UnknownVersion
		return a
	case len(releases) == 0:
		a.Refusal = NoAgent
		return a
	}
	a.Refusal = UnsupportedRuntime
	for _, r := range releases {
		if (choice.Version == "" || r.Version == choice.Version) && fits(r, version) {
			a.Refusal, a.Release = Granted, r
			return a
		}
	}
	if choice.Version != "" {
		a.Supported = ranges(slices.DeleteFunc(slices.Clone(releases), func(r language.Release) bool { return r.Version != choice.Version }))
	}
	return a
}

func versions(releases []language.Release) []string {
	var all []string
	for _, r := range releases {
		if !slices.Contains(all, r.Version) {
			all = append(all, r.Version)
		}
	}
	return all
}

// fits says whether a release works with a runtime. An unknown version is none that it works with.
func fits(r language.Release, version string) bool {
	return version != "" && compare(version, r.From) >= 0 && (r.Below == "" || compare(version, r.Below) < 0)
}

// compare compares versions number by number; what is missing is 0, and what is no number ends it.
func compare(a, b string) int {
	as, bs := numbers(a), numbers(b)
	for i := range max(len(as), len(bs)) {
		x, y := 0, 0
		if i < len(as) {
			x = as[i]
		}
		if i < len(bs) {
			y = bs[i]
		}
		if x != y {
			return x - y
		}
	}
	return 0
}

var leading = regexp.MustCompile(`^\d+`)

// numbers of a version, up to what is none.
func numbers(version string) []int {
	var all []int
	for part := range strings.SplitSeq(version, ".") {
		digits := leading.FindString(part)
		n, err := strconv.Atoi(digits)
		if err != nil {
			break
		}
		all = append(all, n)
		if digits != part {
			break
		}
	}
	return all
}

// ranges says which versions releases work with, the oldest first.
func ranges(releases []language.Release) string {
	var words []string
	for _, r := range slices.Backward(releases) {
		word := "from " + r.From
		if r.Below != "" {
			word += " to below " + r.Below
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}

// unfit is what a version cannot have in it.
var unfit = regexp.MustCompile(`[^0-9A-Za-z._-]+`)

// imageVersion is the version of an agent that a user's image brings: what the user calls it, or its tag,
// and a hash of the image, since pods are told apart by it, and files lie in a folder of its name.
func imageVersion(choice Choice) string {
	name := choice.Version
	if name == "" {
		_, name, _ = strings.Cut(path.Base(choice.Image), ":")
	}
	if name == "" || strings.Contains(choice.Image, "@") && choice.Version == "" {
		name = "image"
	}
	const mostName, hashLength = 40, 8
	name = unfit.ReplaceAllString(name, "-")
	name = strings.Trim(name[:min(len(name), mostName)], "-._")
	sum := sha256.Sum256([]byte(choice.Image))
	return name + "-" + hex.EncodeToString(sum[:])[:hashLength]
}

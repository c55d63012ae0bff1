// Package version holds the release of the binary it is linked into.
package version

// Version is the semantic version of this build, without a leading v.
// Release builds set it with -ldflags "-X github.com/odi-dev/odi/internal/version.Version=...".
var Version = "0.1.0"

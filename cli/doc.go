// Package cli is the odi program: its folder tree is its command tree, one room
// per command. Each room exports New; root.go lists the rooms.
package cli

//go:generate go run ../hack/clidocs ../docs/reference/cli
//go:generate go run ../hack/checkdocs ../docs/checks.md

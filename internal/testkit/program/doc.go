// Package program finds the programs that tests start. A test that passes only
// because a program happens to be on this machine fails on the next one, so a
// program is found only where a fresh machine has it as well: in a package of
// hack/packages.txt, of the README's prerequisites or of what every Debian has,
// or in what these depend on.
package program

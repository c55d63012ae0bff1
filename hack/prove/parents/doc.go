// Command parents proves that no parent is wrong: it runs real programs in several
// languages under `odi run`, each with work of its own all the time, asks them many
// requests at once, and judges the parent of every client span by the number in its
// path. It prints what share of them is linked, and fails for one wrong parent.
package main

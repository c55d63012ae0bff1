// Package checks holds what `odi check` looks for: each check is one value in a list,
// with a code, why it matters, how to mend it, and a pure judge over gathered facts.
// checks/gather reads the facts; `odi install` judges the fatal ones first; `odi explain`
// and docs/checks.md print the list. Another check is one more value in one file here.
package checks

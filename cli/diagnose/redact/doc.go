// Package redact takes secrets out of what `odi diagnose` collects. It works in three
// layers, each of which would do for most: values that are known to be secret (those of
// Secrets that could be read) go wherever they are; objects lose what stands where secrets
// stand, by allow-lists; and text loses what looks like a secret. When in doubt, a value goes.
package redact

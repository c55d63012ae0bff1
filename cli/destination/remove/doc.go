// Package remove implements `odi destination remove <name>`: it deletes a
// Destination and the credentials that `odi destination add` stored for it.
package remove

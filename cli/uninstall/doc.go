// Package uninstall implements `odi uninstall`: it looks at what there is, refuses
// what cannot be meant, asks, removes the release - with its kinds and all their
// objects only if that was said - and waits until what was to go is gone.
package uninstall

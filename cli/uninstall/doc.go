// Package uninstall implements `odi uninstall`: it stops instrumenting, removes the
// release with its kinds and all their objects, and waits until nothing is left.
package uninstall

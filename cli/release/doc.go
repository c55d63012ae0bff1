// Package release is odi's Helm release: one release named odi, made from the
// chart that is inside this program. install, upgrade and uninstall call it.
package release

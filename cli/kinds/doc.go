// Package kinds is odi's CustomResourceDefinitions in the cluster: to which
// Helm release they belong, of which version they are, and what stands or falls
// with them. install, upgrade and uninstall call it.
package kinds

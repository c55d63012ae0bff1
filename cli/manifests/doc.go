// Package manifests prints Kubernetes objects: as a list, or as manifests that kubectl
// applies. It is apart from package output for what it imports: `odi run` prints, too,
// and needs no client for Kubernetes.
package manifests

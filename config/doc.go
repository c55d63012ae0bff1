// Package config holds the manifests that are generated from the code: the
// CustomResourceDefinitions of api/v1alpha1 and the roles that the markers beside
// the controllers and the odiglet ask for. The chart carries copies of them, and
// tests load the definitions from here. samples/ shows one object of each kind
// that users write.
package config

import "embed"

// CRDs holds the definition of every kind of the group odi.dev under crd/.
//
//go:embed crd/*.yaml
var CRDs embed.FS

//go:generate ./generate.sh

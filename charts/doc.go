// Package charts carries odi's Helm chart inside the odi program, so that
// `odi install` and `helm install charts/odi` install the very same objects.
package charts

//go:generate go run ../hack/typepolicy odi/files/admission/destinations.yaml
//go:generate go run ../hack/chartdocs odi

// Package v1alpha1 holds the words that users and odi's processes share: the
// four kinds of the group odi.dev, their condition types and reasons, and the
// names of labels and annotations. It has no logic.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package=../applyconfiguration
// +groupName=odi.dev
package v1alpha1

// Package controllers lists the rooms of the control plane. One folder is one
// loop with one outcome: it alone writes its condition and its fields. They know
// nothing of each other and talk through the objects of api/v1alpha1.
package controllers

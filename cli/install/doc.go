// Package install implements `odi install`: it makes the namespace, applies the
// embedded chart and waits until every component works. Run again, it repairs.
package install

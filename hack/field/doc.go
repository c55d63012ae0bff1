// Command field runs the field suite and prints it case by case: ordinary programs,
// proxies and clusters as users bring them, kind by kind, each against real software.
//
//	make field ARGS="-kind framing,3 -short"
//
// Each case is a line of the table: Go tests of a package, a proof or a measurement
// of hack/. A case that ran no test, or printed no figure, has failed.
package main

// Package process reads what selection needs to know of a live process from
// /proc: parent, start time, executable, container, listening ports. The attach
// manager and the selectors call it.
package process

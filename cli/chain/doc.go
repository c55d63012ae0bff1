// Package chain follows one workload from the wish to the trace - selected,
// detected, decided, attached, exporting - and says at which step it stops. It is
// pure; describe and status print what it says.
package chain

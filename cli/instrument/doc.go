// Package instrument implements `odi instrument <kind> <name>`: it writes one
// InstrumentationConfig, the same object that kubectl or GitOps would apply.
package instrument

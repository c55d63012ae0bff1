// Package uninstrument implements `odi uninstrument <kind> <name>`: it takes back what
// `odi instrument` wrote, or switches off one workload of an instrumented namespace.
package uninstrument

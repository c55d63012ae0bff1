// Package facts looks at the node that a process of it runs on: kernel, processes,
// cgroups, capabilities, other instrumenters, and whether addresses answer. It changes nothing;
// the engine is loaded and let go again where that is asked for. `odiglet facts` is its caller.
package facts

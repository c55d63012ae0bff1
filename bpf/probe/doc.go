// Package probe holds the values that the kernel engine and its users share:
// what to watch (Target), what was seen (Exchange, Process) and what this
// kernel can do (Feature).
//
// Lifetimes: Engine (one per program run, owns every kernel object) → Target
// (one per watched process, added and removed while the engine runs) →
// Exchange (one finished request; its byte slices belong to the engine and are
// valid only during the call that delivers it).
package probe

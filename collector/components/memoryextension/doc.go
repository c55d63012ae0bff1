// Package memoryextension tells Go's garbage collector how much memory the
// container has. It is the half of a pair: memory_limiter refuses data from a
// higher part of the same limit on, which it reads from the same place. So what
// is refused is what collecting garbage could not make room for.
package memoryextension

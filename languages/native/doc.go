// Package native tells apart what was compiled to machine code and is not Go: Swift, Rust, C++, C.
// It is asked last and takes every executable.
package native

// Package sampling makes of what users say about traces what the engine is told. It is pure.
package sampling

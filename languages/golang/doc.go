// Package golang recognises Go executables by the build information that survives stripping.
package golang

// Package dotnet recognises .NET: framework-dependent, self-contained, single-file, and NativeAOT.
package dotnet

// Package api tests the definitions of odi's kinds against a real API server:
// every rule refuses what it should and names the field, every field is
// explained, every sample is taken.
package api

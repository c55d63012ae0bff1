// Package version implements `odi version`.
package version

// Package upgrade implements `odi upgrade`: it brings an installed odi to the
// version and the chart of this program.
package upgrade

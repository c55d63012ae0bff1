// Package list implements `odi destination list`: every destination and whether its
// backend takes the data.
package list

// Package output prints what commands read: a table for people, JSON or YAML for
// programs. Commands give it objects and rows; it knows the -o flag.
package output

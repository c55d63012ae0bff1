// Package database has what the rooms of databases say alike: who was asked, how it
// ended, and what a statement does, with its text without literals.
package database

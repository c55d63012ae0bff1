// Package language holds the words that the language rooms and their callers share: a Language is one room,
// a Process is what a room may look at, a Runtime is what it finds.
//
// Rooms are pure: they see only the Process that they are given. The odiglet builds that from /proc; tests
// build it from tables (languagetest).
package language

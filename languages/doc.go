// Package languages lists the language rooms and asks them: one process in, one Runtime out, and one Runtime
// for all the processes of a container.
//
// It is pure. The odiglet calls it through odiglet/detect, which reads live processes.
package languages

// Package talk makes up conversations in HTTP/1 from a number, says what a truthful
// observer has to tell of them, and writes down what each side has to do, call by
// call. It is pure: no sockets, no clock; the same number gives the same
// conversation on every machine.
//
// From: a seed. To: a Conversation (what is said: New), its two script.Sides (in
// which calls: Render) and its Wants (what is to be seen). Package stage plays them,
// package oracle compares; Shrink makes a conversation that fails smaller.
package talk

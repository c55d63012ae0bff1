// Package foreign makes up conversations in protocols that are not HTTP/1, among
// them such as look like it: nothing may be written into any of them, and none is a
// request. It is pure.
//
// From: a seed. To: talk.Turns, which package talk writes down as calls.
package foreign

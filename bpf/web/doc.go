// Package web has what HTTP of any version says alike: the attributes of its spans, and
// targets without their secrets. For the rooms of HTTP, from what they have read.
package web

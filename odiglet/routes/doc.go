// Package routes names requests after the route that they took, such as
// /orders/{id}: what a user wrote down, else what the traffic of a service shows.
//
// A path goes in, with the status of its answer; a template of low cardinality
// comes out. Segments that look like identifiers are parameters at once, words
// stay words until a position has too many of them. A service has at most
// MaxRoutes routes. The reasons are in docs/adr/0008.
//
// odiglet/spans asks for every request, odiglet/node shows what was learned.
package routes

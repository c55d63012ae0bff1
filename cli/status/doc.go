// Package status implements `odi status`: components, nodes, workloads by phase,
// destinations and books on one screen, and one line per problem with what to do.
package status

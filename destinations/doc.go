// Package destinations knows the backends that odi can send to. Each is a room
// of one YAML file: its fields, the signals that it takes, and the exporter of
// the collector that serves it. Prompts of the CLI, validation in the manager
// and the collectors' configuration all come from that file.
//
// Types and Get find a room; Check judges what a user wrote; Render makes the
// exporters. All is pure. docs/adding-a-destination.md says how to add one.
package destinations

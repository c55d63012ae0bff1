// Package collectorconfig makes the configuration of odi's collectors. Node and
// Gateway build a Config, a plain value with one stable YAML form; LaneOf turns
// a Destination into its part of the gateway; Validator asks the collector
// itself whether it would take a Config.
//
// The destination controller validates each Destination with it, and the
// pipeline controller writes the result into ConfigMaps. Secrets are only
// referred to: the collector reads them from files.
package collectorconfig

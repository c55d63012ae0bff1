package main

import (
	"go.opentelemetry.io/collector/otelcol"

	"github.com/odi-dev/odi/collector/steady"
)

// run is what the generated main calls. It stands in for the builder's own, which
// generate.sh removes: that one ends the process when a reload fails.
func run(set otelcol.CollectorSettings) error { return steady.Command(set).Execute() }

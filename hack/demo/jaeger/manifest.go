package jaeger

import _ "embed" // for Manifest

// Where Manifest puts Jaeger.
const (
	Namespace    = "observability"
	Name         = "jaeger"
	OTLPEndpoint = "http://jaeger.observability:4317"
)

// Manifest deploys Jaeger.
//
//go:embed jaeger.yaml
var Manifest []byte

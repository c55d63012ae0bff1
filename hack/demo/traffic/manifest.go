package traffic

import _ "embed" // for Manifest

// Manifest deploys the driver in namespace traffic.
//
//go:embed driver.yaml
var Manifest []byte

// Package dns renders the objects of the cluster's name service.
package dns

import (
	"bytes"
	_ "embed" // The manifest.
	"fmt"
	"text/template"
)

//go:embed coredns.yaml
var manifest string

// Params is what the manifest needs to know.
type Params struct {
	DNSIP string // Address of the Service.
	Image string
}

// Manifest is the YAML of all objects.
func Manifest(p Params) (string, error) {
	parsed, err := template.New("coredns").Parse(manifest)
	if err != nil {
		return "", fmt.Errorf("parsing the manifest of CoreDNS: %w", err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, p); err != nil {
		return "", fmt.Errorf("filling the manifest of CoreDNS: %w", err)
	}
	return out.String(), nil
}

package nodejs

import "github.com/odi-dev/odi/languages/language"

// inject lets Node.js load the agent's one file before the program.
func inject(in language.Injection) ([]language.Edit, *language.Objection) {
	edits, objection := in.Append("NODE_OPTIONS", " ", "--require "+in.Root+"/boot.cjs")
	if objection != nil {
		return nil, objection
	}
	edits = append(edits, in.Protocol("http/json")...)
	// The other detectors give the host another name, and ask the metadata services of clouds.
	return append(edits, in.Default("OTEL_NODE_RESOURCE_DETECTORS", "env,os")...), nil
}

package instrumentor

import (
	"encoding/json"
	"fmt"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"
)

// Operation is one step of a JSON patch (RFC 6902). Only what adds or replaces is used: a patch is made from
// the very object that it is for, and one that does not apply would keep the pod from being made.
type Operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

func add(value any, path ...any) Operation     { return Operation{"add", pointer(path), value} }
func replace(value any, path ...any) Operation { return Operation{"replace", pointer(path), value} }

// pointer is a JSON pointer (RFC 6901).
func pointer(path []any) string {
	var b strings.Builder
	for _, step := range path {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(fmt.Sprint(step)))
	}
	return b.String()
}

// Apply is an object after a patch.
func Apply(raw []byte, patch []Operation) ([]byte, error) {
	if len(patch) == 0 {
		return raw, nil
	}
	text, err := json.Marshal(patch)
	if err != nil {
		return nil, fmt.Errorf("writing a patch: %w", err)
	}
	decoded, err := jsonpatch.DecodePatch(text)
	if err != nil {
		return nil, fmt.Errorf("reading a patch: %w", err)
	}
	out, err := decoded.Apply(raw)
	if err != nil {
		return nil, fmt.Errorf("applying a patch: %w", err)
	}
	return out, nil
}

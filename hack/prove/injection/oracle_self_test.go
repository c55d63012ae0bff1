package injection

import (
	"encoding/json"
	"testing"
)

// TestTheOracleSees: what is not documented is found, each kind of it.
func TestTheOracleSees(t *testing.T) {
	const before = `{"metadata":{"name":"a"},"spec":{"containers":[{"name":"app","image":"a","env":[{"name":"NODE_OPTIONS","value":"--x"},{"name":"B","value":"b"}]}]}}`
	const ours = `{"name":"ODI_AGENT","value":"x"}`
	for name, after := range map[string]string{
		"a value":      `{"metadata":{"name":"a"},"spec":{"containers":[{"name":"app","image":"a","env":[{"name":"NODE_OPTIONS","value":"--x"},{"name":"B","value":"c"},` + ours + `]}]}}`,
		"a lost value": `{"metadata":{"name":"a"},"spec":{"containers":[{"name":"app","image":"a","env":[{"name":"NODE_OPTIONS","value":"odi"},{"name":"B","value":"b"},` + ours + `]}]}}`,
		"an order":     `{"metadata":{"name":"a"},"spec":{"containers":[{"name":"app","image":"a","env":[{"name":"B","value":"b"},{"name":"NODE_OPTIONS","value":"--x"},` + ours + `]}]}}`,
		"a variable":   `{"metadata":{"name":"a"},"spec":{"containers":[{"name":"app","image":"a","env":[{"name":"NODE_OPTIONS","value":"--x"},{"name":"B","value":"b"},{"name":"C"}]}]}}`,
		"a reference":  `{"metadata":{"name":"a"},"spec":{"containers":[{"name":"app","image":"a","env":[{"name":"NODE_OPTIONS","value":"--x"},{"name":"B","value":"b"},{"name":"ODI_AGENT","value":"$(B)"}]}]}}`,
		"an image":     `{"metadata":{"name":"a"},"spec":{"containers":[{"name":"app","image":"b","env":[{"name":"NODE_OPTIONS","value":"--x"},{"name":"B","value":"b"}]}]}}`,
		"a volume":     `{"metadata":{"name":"a"},"spec":{"volumes":[{"name":"x"}],"containers":[{"name":"app","image":"a","env":[{"name":"NODE_OPTIONS","value":"--x"},{"name":"B","value":"b"}]}]}}`,
		"a label":      `{"metadata":{"name":"a","labels":{"x":"y"}},"spec":{"containers":[{"name":"app","image":"a","env":[{"name":"NODE_OPTIONS","value":"--x"},{"name":"B","value":"b"}]}]}}`,
	} {
		var was, is object
		if err := json.Unmarshal([]byte(before), &was); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(after), &is); err != nil {
			t.Fatal(err)
		}
		if len(undocumented(was, is)) == 0 {
			t.Errorf("%s changed, and nobody saw it", name)
		}
	}
}

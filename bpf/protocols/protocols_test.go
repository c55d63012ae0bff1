package protocols

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
)

func TestProtocolsAreTold(t *testing.T) {
	names, codes := map[string]bool{}, map[probe.Code]bool{}
	for _, p := range All() {
		if p.Name == "" || p.Code == 0 || p.Decode == nil || names[p.Name] || codes[p.Code] {
			t.Errorf("room %+v lacks something, or another has its name or code", p)
		}
		names[p.Name], codes[p.Code] = true, true
		if got := codeInC(t, p.Name); got != p.Code {
			t.Errorf("room %s has code %d, and %d in C", p.Name, p.Code, got)
		}
	}
}

// codeInC is what a room's headers have as its code.
func codeInC(t *testing.T, name string) probe.Code {
	t.Helper()
	headers, err := filepath.Glob(filepath.Join("..", name, "*.h"))
	if err != nil {
		t.Fatal(err)
	}
	define := regexp.MustCompile(`(?m)^#define PROTOCOL_` + strings.ToUpper(name) + ` (\d+)\b`)
	var found [][]byte
	for _, header := range headers {
		text, err := os.ReadFile(header)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range define.FindAllSubmatch(text, -1) {
			found = append(found, m[1])
		}
	}
	if len(found) != 1 {
		t.Fatalf("room %s defines its code %d times", name, len(found))
	}
	code, err := strconv.ParseUint(string(found[0]), 10, 8)
	if err != nil {
		t.Fatal(err)
	}
	return probe.Code(code)
}

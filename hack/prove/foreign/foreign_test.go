package foreign

import (
	"bytes"
	"regexp"
	"testing"
)

var requestLine = regexp.MustCompile(`(?m)^[A-Za-z-]+ [^\n]* HTTP/1\.[01]\r?$`)

// TestNothingIsHTTP: what may rightly be taken for a request has no place here.
func TestNothingIsHTTP(t *testing.T) {
	if len(Protocols) < 40 {
		t.Errorf("only %d protocols", len(Protocols))
	}
	for _, p := range Protocols {
		for seed := range uint64(40) {
			var client []byte
			for _, turn := range p.Speak(NewDice(seed)) {
				if len(turn.Bytes) == 0 {
					t.Errorf("%s says nothing", p.Name)
				}
				if !turn.FromServer {
					client = append(client, turn.Bytes...)
				}
			}
			for line := range bytes.Lines(client) {
				if requestLine.Match(line) && bytes.HasSuffix(line, []byte("\n")) {
					t.Errorf("%s speaks HTTP: %.200q", p.Name, line)
				}
			}
		}
	}
}

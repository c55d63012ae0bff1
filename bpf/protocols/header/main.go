// Command header writes the header that has the engine go on with the rooms of
// protocols whose programs are apart (probe.Protocol).
package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/template"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/protocols"
)

//go:embed rooms.h.tmpl
var text string

func main() {
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "header:", err)
		os.Exit(1)
	}
}

func write(path string) error {
	apart := slices.DeleteFunc(protocols.All(), func(p probe.Protocol) bool { return !p.Apart })
	header, err := render(apart)
	if err != nil {
		return err
	}
	return os.WriteFile(path, header, 0o644)
}

// render writes the header for some rooms.
func render(apart []probe.Protocol) ([]byte, error) {
	last := probe.Code(0)
	for _, p := range apart {
		last = max(last, p.Code)
	}
	t, err := template.New("rooms").Funcs(template.FuncMap{"upper": strings.ToUpper}).Parse(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, struct {
		Rooms []probe.Protocol
		Size  int
	}{apart, int(last) + 1})
	return b.Bytes(), err
}

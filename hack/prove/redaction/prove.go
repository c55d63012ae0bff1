package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/odi-dev/odi/internal/testkit/program"
	"github.com/odi-dev/odi/internal/testkit/secrets"
)

type options struct {
	seed    uint64
	secrets int
	only    string
}

// patience bounds one run of odi.
const patience = 2 * time.Minute

// told is one of the ways on which something leaves odi.
type told struct {
	name string
	data []byte
}

// prove says whether no secret has left. What it finds is in out.
func (o *options) prove(out io.Writer) (bool, error) {
	if os.Geteuid() != 0 {
		return false, errors.New("loading BPF programs needs root")
	}
	all, err := hide(o.seed, o.secrets, o.only)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(out, "seed %d: %d secrets in %d places\n", o.seed, len(all), len(places()))
	random := rand.New(rand.NewPCG(o.seed, 2))
	var ways []told
	everything := all
	for _, pass := range []struct {
		args    []string
		refused bool
	}{{[]string{"-v", "-o", "json", "--metrics"}, false}, {[]string{"-v", "-o", "tree"}, true}} {
		own := []hidden{{"odi: header of its receiver", secrets.New(random)}, {"odi: user info of its receiver", secrets.New(random)}}
		got, err := o.pass(all, own, pass.args, pass.refused)
		if err != nil {
			return false, err
		}
		everything, ways = append(everything, own...), append(ways, got...)
	}
	return judge(out, everything, ways), nil
}

// pass runs all programs under odi once.
func (o *options) pass(all, own []hidden, args []string, refused bool) ([]told, error) {
	dir, err := os.MkdirTemp("", "odi-redaction")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o711); err != nil { // databases have accounts of their own
		return nil, err
	}
	r, err := receive(refused)
	if err != nil {
		return nil, err
	}
	name := strings.Join(args, " ")
	logged, printed, err := runODI(orders{dir, all}, own, args, r.addr)
	sent, notSent := r.end()
	if err = errors.Join(err, notSent); err != nil {
		return nil, err
	}
	if said, err := os.ReadFile(filepath.Join(dir, "errors")); err != nil || len(said) > 0 {
		return nil, errors.Join(err, fmt.Errorf("the programs did not do what they should: %s", said))
	}
	return []told{{"odi run " + name, printed}, {"log of odi run " + name, logged}, {"sent by odi run " + name, sent}}, nil
}

func runODI(o orders, own []hidden, args []string, receiver string) (logged, printed []byte, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	input, err := json.Marshal(o)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	whole := append([]string{asODI}, args...)
	cmd := exec.CommandContext(ctx, self, append(whole, "--otlp", "http://alice:"+own[1].Secret+"@"+receiver, "--", self, asPeer)...)
	cmd.Env = append(os.Environ(), "PATH="+program.Folders, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_EXPORTER_OTLP_HEADERS=api-key="+own[0].Secret)
	var out, log bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &log
	if err := cmd.Run(); err != nil {
		return nil, nil, fmt.Errorf("odi run: %w: %s", err, log.String())
	}
	return log.Bytes(), out.Bytes(), nil
}

// seen are what shows in spans that programs of a kind were watched at all.
var seen = map[string]string{
	"http": `"http.request.method"`, "http2": `"network.protocol.version","value":{"stringValue":"2"}`, "grpc": `"rpc.system.name"`,
	"postgres": `{"stringValue":"postgresql"}`, "mysql": `{"stringValue":"mysql"}`, "redis": `{"stringValue":"redis"}`, "kafka": `"messaging.system"`,
	"process": `{"key":"service.name","value":{"stringValue":"curl"}}`,
}

// judge prints what was found.
func judge(out io.Writer, all []hidden, ways []told) (ok bool) {
	ok = true
	for _, way := range ways {
		text := secrets.In(way.data)
		var found, there int
		for _, h := range all {
			form := text.Find(h.Secret)
			switch {
			case form == "":
			case strings.HasSuffix(h.Place, shown):
				there++
			default:
				found++
				fmt.Fprintf(out, "%s: %s, %s\n", way.name, h.Place, form)
			}
		}
		isLog := strings.HasPrefix(way.name, "log")
		fmt.Fprintf(out, "%s: %d bytes, %d secrets, %d of what is shown\n", way.name, len(way.data), found, there)
		ok = ok && found == 0 && (there > 0 || isLog)
	}
	return judgeSpans(out, all, ways[0].data) && ok
}

// judgeSpans says whether there are spans enough of every kind: of nothing nothing leaves.
func judgeSpans(out io.Writer, all []hidden, spans []byte) bool {
	want := map[string]int{}
	for _, h := range all {
		kind, _, _ := strings.Cut(h.Place, ":")
		want[kind]++
	}
	var kinds []string
	ok := true
	for kind, mark := range seen {
		n := bytes.Count(spans, []byte(mark))
		if kind == "process" {
			want[kind] = min(want[kind], 1)
		}
		kinds = append(kinds, fmt.Sprintf("%s %d", kind, n))
		if n < want[kind] {
			fmt.Fprintf(out, "%d spans of %s for %d secrets\n", n, kind, want[kind])
			ok = false
		}
	}
	slices.Sort(kinds)
	fmt.Fprintf(out, "seen: %s\n", strings.Join(kinds, ", "))
	return ok
}

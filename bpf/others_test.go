package bpf

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"

	"github.com/odi-dev/odi/bpf/probe"
)

func TestForeign(t *testing.T) {
	for name, tc := range map[string]struct {
		all  []socketMap
		want string
	}{
		"nobody":               {nil, ""},
		"another odi":          {[]socketMap{{1, "sockets", "odi_message"}, {2, "verdict_sockets", "odi_arrived"}}, ""},
		"somebody":             {[]socketMap{{1, "sockets", "odi_message"}, {3, "sock_ops_map", "cil_redir_proxy"}}, `program "cil_redir_proxy" of map "sock_ops_map", id 3`},
		"one without a name":   {[]socketMap{{4, "", ""}}, `program "" of map "", id 4`},
		"one of a likely name": {[]socketMap{{5, "m", "odin"}}, `program "odin" of map "m"`},
	} {
		t.Run(name, func(t *testing.T) {
			other, is := foreign(tc.all)
			if is != (tc.want != "") || is && !strings.Contains(other.Error(), tc.want) {
				t.Errorf("%v %v, want %q", is, other, tc.want)
			}
		})
	}
}

// TestOthersAreSeen makes a socket map as another program would. Its name says that it is an
// odi's, so that engines of other tests stay.
func TestOthersAreSeen(t *testing.T) {
	e := load(t)
	for _, kind := range []struct {
		m ebpf.MapType
		p ebpf.ProgramType
		a ebpf.AttachType
	}{
		{ebpf.SockHash, ebpf.SkMsg, ebpf.AttachSkMsgVerdict},
		{ebpf.SockMap, ebpf.SkMsg, ebpf.AttachSkMsgVerdict},
		{ebpf.SockHash, ebpf.SkSKB, ebpf.AttachSkSKBStreamVerdict},
		{ebpf.SockMap, ebpf.SkSKB, ebpf.AttachSkSKBVerdict},
	} {
		t.Run(kind.m.String()+" "+kind.a.String(), func(t *testing.T) {
			const name = "odi_t_somebody"
			m, err := ebpf.NewMap(&ebpf.MapSpec{Name: name, Type: kind.m, KeySize: 4, ValueSize: 4, MaxEntries: 8})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			seen := func() bool {
				for _, o := range e.socketMaps() {
					if o.name == name && o.program == name {
						return true
					}
				}
				return false
			}
			if seen() {
				t.Error("a map without a program is in nobody's way")
			}
			p, err := ebpf.NewProgram(&ebpf.ProgramSpec{Name: name, Type: kind.p, AttachType: kind.a, License: "GPL",
				Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 1), asm.Return()}})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			err = link.RawAttachProgram(link.RawAttachProgramOptions{Target: m.FD(), Program: p, Attach: kind.a})
			if err != nil {
				t.Fatal(err)
			}
			if !seen() {
				t.Errorf("not among %v", e.socketMaps())
			}
		})
	}
}

// TestStepsAside has connections in the map when somebody else comes: they leave it, new ones
// stay out, and the feature says why.
func TestStepsAside(t *testing.T) {
	e := load(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	self := probe.Target{PID: uint32(os.Getpid()), Propagate: true}
	dial() // before
	if err := e.AddTarget(self); err != nil {
		t.Fatal(err)
	}
	dial()
	if n, err := e.Entries("sockets"); n != 2 || err != nil {
		t.Fatalf("%d connections in the map (%v), want 2", n, err)
	}
	e.stepAside(errOther{7, "their_map", "their_program"})
	dial()
	if err := e.AddTarget(self); err != nil { // again
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	for _, name := range []string{"sockets", "verdict_sockets"} {
		if n, err := e.Entries(name); n != 0 || err != nil {
			t.Errorf("%d connections in %s (%v), want none", n, name, err)
		}
	}
	for _, f := range e.Features() {
		if f.Name == probe.Propagation && (f.State != probe.Unavailable || !strings.Contains(f.Reason, `program "their_program" of map "their_map"`)) {
			t.Errorf("propagation is %s: %s", f.State, f.Reason)
		}
	}
}

package facts

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/internal/nodefacts"
)

// node writes the files of one that never was.
func node(t *testing.T, files map[string]string) sight {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if link, ok := strings.CutPrefix(content, "-> "); ok {
			if err := os.Symlink(link, path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return sight{root: root, facts: nodefacts.Facts{Unseen: map[string]string{}}}
}

func TestKernel(t *testing.T) {
	s := node(t, map[string]string{
		"proc/sys/kernel/osrelease": "6.1.0-9-amd64\n", "sys/kernel/btf/vmlinux": "x", "proc/sys/net/core/bpf_jit_enable": "1\n",
		"sys/kernel/security/lockdown": "none [integrity] confidentiality\n",
	})
	s.kernel()
	want := nodefacts.Facts{Kernel: "6.1.0-9-amd64", BTF: true, JIT: "1", Lockdown: "integrity", Unseen: map[string]string{}}
	if diff := cmp.Diff(want, s.facts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s = node(t, nil); true {
		s.kernel()
	}
	if s.facts.BTF || s.facts.Unseen["kernel"] == "" || s.facts.Unseen["lockdown"] == "" {
		t.Errorf("of nothing: %+v", s.facts)
	}
}

func TestProcesses(t *testing.T) {
	for name, tc := range map[string]struct {
		files                map[string]string
		wantHost, wantNested bool
	}{
		"a machine":           {map[string]string{"proc/1/ns/pid": "-> " + rootNamespace, "proc/1/comm": "systemd\n"}, true, false},
		"a node in a machine": {map[string]string{"proc/1/ns/pid": "-> pid:[4026532999]", "proc/1/comm": "systemd\n"}, true, true},
		"a container":         {map[string]string{"proc/1/ns/pid": "-> pid:[4026532999]", "proc/1/comm": "odiglet\n"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := node(t, tc.files)
			s.processes()
			if s.facts.HostProcesses != tc.wantHost || s.facts.NestedProcesses != tc.wantNested || len(s.facts.Unseen) > 0 {
				t.Errorf("got %+v", s.facts)
			}
		})
	}
	s := node(t, nil)
	if s.processes(); s.facts.Unseen["hostProcesses"] == "" {
		t.Error("nothing says that nothing was seen")
	}
}

func TestCapabilitiesAndMemory(t *testing.T) {
	s := node(t, map[string]string{"proc/self/status": "Name:\tx\nCapEff:\t000000c000080000\n", "proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    2048 kB\n"})
	s.capabilities()
	s.memory()
	if diff := cmp.Diff([]string{"BPF", "PERFMON", "SYS_PTRACE"}, s.facts.Capabilities); diff != "" || s.facts.MemoryAvailable != 2<<20 {
		t.Errorf("%d bytes, (-want +got):\n%s", s.facts.MemoryAvailable, diff)
	}
	s = node(t, map[string]string{"proc/self/status": "Name:\tx\n", "proc/meminfo": "MemTotal: 9 kB\n"})
	s.capabilities()
	s.memory()
	if s.facts.Unseen["capabilities"] == "" || s.facts.Unseen["memoryAvailable"] == "" {
		t.Errorf("got %+v", s.facts)
	}
}

func TestOtherInstrumenters(t *testing.T) {
	s := node(t, map[string]string{
		"proc/10/comm": "beyla\n", "proc/11/comm": "system-probe\n", "proc/12/comm": "beyla\n", "proc/13/comm": "nginx\n", "proc/net/comm": "pem\n",
		"proc/1/root/etc/ld.so.preload": "/opt/agent/liboneagentproc.so\n",
	})
	s.instrumenters()
	if diff := cmp.Diff([]string{"Datadog system-probe", "Grafana Beyla"}, s.facts.Instrumenters); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.facts.Preloaded != "/opt/agent/liboneagentproc.so" {
		t.Errorf("preloaded: %q", s.facts.Preloaded)
	}
	for comm := range others {
		if len(comm) > 15 {
			t.Errorf("the kernel keeps no name as long as %q", comm)
		}
	}
}

// TestCalls: one that answers, one that does not, and one that no name server knows.
func TestCalls(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	looks := call(t.Context(), []string{listener.Addr().String(), dead.Addr().String(), "nowhere.invalid:1", "nonsense"})
	if !looks[0].Resolved || !looks[0].Connected || looks[0].Error != "" {
		t.Errorf("one that answers: %+v", looks[0])
	}
	if !looks[1].Resolved || looks[1].Connected || looks[1].Error == "" {
		t.Errorf("a closed port: %+v", looks[1])
	}
	if looks[2].Resolved || looks[2].Error == "" || looks[3].Error == "" {
		t.Errorf("names: %+v", looks[2:])
	}
}

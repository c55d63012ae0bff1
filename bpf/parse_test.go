package bpf

import (
	"encoding/binary"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
)

func TestParseExchange(t *testing.T) {
	raw := make([]byte, requestSize+5)
	binary.NativeEndian.PutUint64(raw[0:], 1e9)
	binary.NativeEndian.PutUint64(raw[16:], 2e9)
	copy(raw[24:], "0123456789abcdef")
	binary.NativeEndian.PutUint32(raw[120:], 77)
	copy(raw[80:], []byte{10, 0, 0, 1})
	binary.NativeEndian.PutUint16(raw[112:], 8080)
	binary.NativeEndian.PutUint16(raw[140:], 200)
	binary.NativeEndian.PutUint16(raw[142:], 5)
	raw[116], raw[146], raw[147], raw[149] = 2, byte(probe.Client), byte(probe.LinkThread), bitInjected|bitTruncated
	raw[151] = 9
	copy(raw[requestSize:], "GET /")
	var x probe.Exchange
	ok := parseExchange(&x, raw, &wallClock{})
	if !ok || x.Kind != probe.Client || x.Link != probe.LinkThread || x.PID != 77 || x.StatusCode != http.StatusOK || x.Protocol != 9 {
		t.Errorf("got %+v, %v", x, ok)
	}
	if !x.Injected || !x.HeadTruncated || string(x.RequestHead) != "GET /" || x.End.Sub(x.Start) != 1e9 {
		t.Errorf("got %+v", x)
	}
	if want := netip.MustParseAddrPort("10.0.0.1:8080"); x.Local != want {
		t.Errorf("the local end is %v, want %v", x.Local, want)
	}
	if parseExchange(&x, raw[:requestSize-1], &wallClock{}) {
		t.Error("a short event was accepted")
	}
}

func FuzzParseExchange(f *testing.F) {
	f.Add(make([]byte, requestSize))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		var x probe.Exchange
		parseExchange(&x, raw, &wallClock{})
		parseNotice(raw)
	})
}

func TestCgroup2Mount(t *testing.T) {
	tests := map[string]struct{ mounts, want string }{
		"unified": {"30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup"},
		"hybrid": {"31 30 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" +
			"40 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup/unified"},
		"v1 only": {"31 30 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "mountinfo")
			if err := os.WriteFile(file, []byte(tc.mounts), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := cgroup2Mount(file)
			if got != tc.want || (err == nil) != (tc.want != "") {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

func TestHandled(t *testing.T) {
	for status, want := range map[string]uint64{
		"Name:\tpython3\nSigIgn:\t0000000001001000\nSigCgt:\t0000000000000002\nCapInh:\t0": 0,
		"Name:\tgunicorn\nSigCgt:\t0000000008314a07\nCapInh:\t0":                           0x08314a05,
		"Name:\ta thread of the C library\nSigCgt:\t0000000180000000\nCapInh:\t0":          0,
	} {
		if got := handled(status); got != want {
			t.Errorf("%q: handles %#x, want %#x", status, got, want)
		}
	}
}

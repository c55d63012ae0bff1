package libc

import (
	"encoding/hex"
	"runtime"
	"strings"
	"testing"
)

// TestEmulated: the beginnings of ioctl in C libraries, and what has no such place.
func TestEmulated(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the instructions are those of amd64")
	}
	const before = "4883ec58 4889542430 64488b042528000000 4889442418 31c0 488d442460 c7042410000000 4889442408 488d442420 4889442410 b810000000 0f05"
	for name, tc := range map[string]struct {
		code string
		want uint64
	}{
		"glibc 2.36":         {before + "89c2 3d00f0ffff 771c 488b442418", 0x42},
		"musl 1.2":           {"4883ec58 4863ff 4863f6 4889542430 64488b042528000000 4889442418 31c0 488d442460 c7042410000000 4889442408 488d442420 4889442410 b810000000 0f05 4863f8 e8970ffeff", 0x44},
		"with a mark":        {"f30f1efa b810000000 0f05 483d01f0ffff 7301 c3", 0x11},
		"a far branch":       {"b810000000 0f05 483d01f0ffff 0f8300000000", 0x0d},
		"push":               {"4989d0 55 4889e5", 3},
		"the argument moves": {"89d6 b810000000 0f05 7701", 0},
		"it is something":    {"0fb6f6 b810000000 0f05 7701", 0},
		"it ends":            {"b810000000 c3 9090", 0},
		"it is cut":          {"b81000", 0},
		"none":               {"", 0},
	} {
		code, err := hex.DecodeString(strings.ReplaceAll(tc.code, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := emulated(code); got != tc.want {
			t.Errorf("%s: %#x, want %#x", name, got, tc.want)
		}
	}
}

// FuzzEmulated: the bytes are a file's of somebody's.
func FuzzEmulated(f *testing.F) {
	f.Add([]byte{0x90})
	f.Fuzz(func(t *testing.T, code []byte) {
		if at := emulated(code); at > 0 && at >= uint64(len(code)) {
			t.Errorf("%d of %x", at, code)
		}
	})
}

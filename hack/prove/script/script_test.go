package script

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestASideComesBackAsItWasWritten(t *testing.T) {
	want := &Side{
		ID:       7,
		Ops:      []Op{{Kind: Send, How: Vector, N: 3, Sizes: []uint32{1, 2}}, {Kind: Close, Flags: MayFail, Sizes: []uint32{}}},
		Out:      []byte("abc"),
		In:       []byte("defg"),
		Inserts:  []uint32{2},
		Begins:   []Mark{{In: true, Off: 1}},
		Finishes: []Mark{{Off: AtEnd}},
	}
	var raw bytes.Buffer
	if err := want.Write(&raw); err != nil {
		t.Fatal(err)
	}
	cut := bytes.Clone(raw.Bytes()[:raw.Len()-1])
	r := bufio.NewReader(&raw)
	got, err := Read(r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := Read(r); !errors.Is(err, io.EOF) {
		t.Errorf("after the last side: %v", err)
	}
	if _, err := Read(bufio.NewReader(bytes.NewReader(cut))); err == nil {
		t.Error("a side that is cut was read")
	}
}

package script

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// most bounds every list that is read.
const most = 64 << 20

// Write appends the side to w.
func (s *Side) Write(w io.Writer) error {
	words := []uint32{s.ID, uint32(len(s.Ops)), uint32(len(s.Out)), uint32(len(s.In)), uint32(len(s.Inserts)), uint32(len(s.Begins))}
	for _, op := range s.Ops {
		words = append(words, uint32(op.Kind), uint32(op.How), op.Flags, op.N, uint32(len(op.Sizes)))
		words = append(words, op.Sizes...)
	}
	words = append(words, s.Inserts...)
	for i := range s.Begins {
		words = appendMark(words, s.Begins[i])
		words = appendMark(words, s.Finishes[i])
	}
	raw := make([]byte, 0, 4*len(words)+len(s.Out)+len(s.In))
	for _, v := range words {
		raw = binary.LittleEndian.AppendUint32(raw, v)
	}
	raw = append(append(raw, s.Out...), s.In...)
	if err := binary.Write(w, binary.LittleEndian, uint32(len(raw))); err != nil {
		return err
	}
	_, err := w.Write(raw)
	return err
}

func appendMark(words []uint32, m Mark) []uint32 {
	in := uint32(0)
	if m.In {
		in = 1
	}
	return append(words, in, m.Off)
}

// Read reads the next side; io.EOF after the last.
func Read(r *bufio.Reader) (*Side, error) {
	var size uint32
	if err := binary.Read(r, binary.LittleEndian, &size); err != nil {
		return nil, err
	}
	if size > most {
		return nil, fmt.Errorf("reading a script: %d bytes are too many", size)
	}
	raw := make([]byte, size)
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, fmt.Errorf("reading a script: %w", err)
	}
	d := decoder{raw: raw}
	s := d.side()
	if d.short {
		return nil, fmt.Errorf("reading a script: it is cut")
	}
	return s, nil
}

// decoder takes words from the front of raw.
type decoder struct {
	raw   []byte
	short bool
}

func (d *decoder) word() uint32 {
	if len(d.raw) < 4 {
		d.short = true
		return 0
	}
	v := binary.LittleEndian.Uint32(d.raw)
	d.raw = d.raw[4:]
	return v
}

func (d *decoder) words(n uint32) []uint32 {
	if uint64(len(d.raw)) < 4*uint64(n) {
		d.short = true
		return nil
	}
	all := make([]uint32, n)
	for i := range all {
		all[i] = d.word()
	}
	return all
}

func (d *decoder) bytes(n uint32) []byte {
	if uint64(len(d.raw)) < uint64(n) {
		d.short = true
		return nil
	}
	b := d.raw[:n]
	d.raw = d.raw[n:]
	return b
}

func (d *decoder) mark() Mark {
	return Mark{In: d.word() == 1, Off: d.word()}
}

func (d *decoder) side() *Side {
	s := &Side{ID: d.word()}
	ops, out, in, inserts, pairs := d.word(), d.word(), d.word(), d.word(), d.word()
	for range ops {
		op := Op{Kind: Kind(d.word()), How: How(d.word()), Flags: d.word(), N: d.word()}
		op.Sizes = d.words(d.word())
		s.Ops = append(s.Ops, op)
		if d.short {
			return s
		}
	}
	s.Inserts = d.words(inserts)
	for i := uint32(0); i < pairs && !d.short; i++ {
		s.Begins = append(s.Begins, d.mark())
		s.Finishes = append(s.Finishes, d.mark())
	}
	s.Out, s.In = d.bytes(out), d.bytes(in)
	return s
}

// WriteLine appends the result to w as one line of JSON.
func (r *Result) WriteLine(w io.Writer) error {
	return json.NewEncoder(w).Encode(r)
}

package http2

import (
	"bytes"

	"golang.org/x/net/http2/hpack"

	"github.com/odi-dev/odi/bpf/probe"
)

const (
	// tableDefault is how large a table is until its writer says otherwise (RFC 9113).
	tableDefault = 4 << 10
	// tableMax is more than known clients and servers use. What says that it uses more
	// is not followed.
	tableMax = 64 << 10
	// stringMax bounds one name or value; longer ones break the block.
	stringMax = 64 << 10
	// entryMin is what an entry of a table takes at least (RFC 7541, 4.1).
	entryMin = 32
)

// direction is what one side has said.
type direction struct {
	decoder *hpack.Decoder
	next    uint32 // seq of its next event

	// Of the header block that goes on.
	open   bool
	broken bool
	stream uint32
	bits   uint8
	event  probe.Exchange // of its first bytes
	fields fields
}

// begin makes room for what a direction says from its beginning on.
func (d *direction) begin() {
	d.decoder = hpack.NewDecoder(tableDefault, d.fields.take)
	d.decoder.SetAllowedMaxDynamicTableSize(tableMax)
	d.decoder.SetMaxStringLength(stringMax)
}

// unknown is as many entries as a table of the usual size can have, all without a name.
var unknown = bytes.Repeat([]byte{0x40, 0, 0}, tableDefault/entryMin) // literals, to be kept

// forget makes room for what a direction says when what it has said before is not known.
// Its table is taken to be full of entries that nobody knows: they are at least as many
// as there really are, and lie behind all that come. So whatever is said from here on is
// known, and what stands for something earlier is known to be unknown.
func (d *direction) forget() {
	d.begin()
	d.decoder.SetMaxDynamicTableSize(tableMax) // what is known stays for longer than at its writer's
	_, _ = d.decoder.Write(unknown)
	_ = d.decoder.Close()
	d.open = false
}

// piece takes bytes of a header block. True: it is whole, and stands in fields, or is
// broken.
func (d *direction) piece(n *note, event *probe.Exchange) bool {
	if n.bits&noteFirst != 0 {
		d.open, d.broken, d.stream, d.bits = true, false, n.stream, n.bits
		d.event = *event
		d.event.RequestHead, d.event.AnswerHead, d.event.Preface = nil, nil, nil
		d.fields.reset()
	}
	if !d.open || d.stream != n.stream {
		d.open = false
		return false
	}
	if !d.broken {
		_, err := d.decoder.Write(n.block)
		d.broken = err != nil
	}
	if n.bits&noteLast == 0 {
		return false
	}
	d.open = false
	if err := d.decoder.Close(); err != nil {
		d.broken = true
	}
	if d.broken {
		d.forget()
	}
	return true
}

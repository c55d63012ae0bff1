package handshake

import "time"

// Tags of DER (X.690).
const (
	tagInteger  = 0x02
	tagUTC      = 0x17
	tagTime     = 0x18
	tagSequence = 0x30
	tagVersion  = 0xa0
)

// der is bytes of a certificate, of which the end may be missing.
type der []byte

// next cuts the head of a value off: what it holds may go beyond the bytes. False: there is none.
func (d *der) next() (tag byte, size int, ok bool) {
	b := *d
	if len(b) < 2 {
		return 0, 0, false
	}
	tag, size, b = b[0], int(b[1]), b[2:]
	if n := size & 0x7f; size >= 0x80 {
		const lengthMax = 3 // 16 MiB, as long as a message may be
		if n == 0 || n > lengthMax || len(b) < n {
			return 0, 0, false
		}
		size = 0
		for _, c := range b[:n] {
			size = size<<8 | int(c)
		}
		b = b[n:]
	}
	*d = b
	return tag, size, true
}

// enter goes into a value of some kind.
func (d *der) enter(want byte) bool {
	tag, _, ok := d.next()
	return ok && tag == want
}

// value cuts a value of some kind off.
func (d *der) value(want byte) ([]byte, bool) {
	tag, size, ok := d.next()
	if !ok || tag != want || size > len(*d) {
		return nil, false
	}
	v := (*d)[:size]
	*d = (*d)[size:]
	return v, true
}

// time cuts a date off.
func (d *der) time() (time.Time, bool) {
	layout, tag := "060102150405Z", byte(tagUTC)
	if len(*d) > 0 && (*d)[0] == tagTime {
		layout, tag = "20060102150405Z", tagTime
	}
	text, ok := d.value(tag)
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(layout, string(text))
	const century = 2050 // two digits are years from 1950 on (RFC 5280, 4.1.2.5.1)
	if tag == tagUTC && at.Year() >= century {
		at = at.AddDate(-100, 0, 0)
	}
	return at, err == nil
}

// notAfter finds when a certificate expires (RFC 5280, 4.1), of which only the beginning may be there.
func notAfter(certificate []byte) (time.Time, bool) {
	d := der(certificate)
	for range 2 { // the certificate, and what of it is signed
		if !d.enter(tagSequence) {
			return time.Time{}, false
		}
	}
	if len(d) > 0 && d[0] == tagVersion {
		if _, ok := d.value(tagVersion); !ok {
			return time.Time{}, false
		}
	}
	for _, skipped := range []byte{tagInteger, tagSequence, tagSequence} { // number, algorithm, issuer
		if _, ok := d.value(skipped); !ok {
			return time.Time{}, false
		}
	}
	if !d.enter(tagSequence) {
		return time.Time{}, false
	}
	if _, ok := d.time(); !ok {
		return time.Time{}, false
	}
	return d.time()
}

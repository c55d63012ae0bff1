package openssl

import (
	machine "debug/elf"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/internal/procfs/elf"
)

// Function is what a probe is on; the programs get it as cookie.
type Function uint64

// Functions of OpenSSL (ssl(7)). WriteEx2 has one argument more than WriteEx before the last.
const (
	Read Function = iota + 1
	ReadEx
	Write
	WriteEx
	Handshake
	Free
	WriteEx2
)

// names are those that are exported. SSL_connect and SSL_accept go on with SSL_do_handshake.
var names = map[Function]string{
	Read: "SSL_read", ReadEx: "SSL_read_ex", Write: "SSL_write", WriteEx: "SSL_write_ex", Handshake: "SSL_do_handshake", Free: "SSL_free",
	WriteEx2: "SSL_write_ex2",
}

// Probe is a place in a file at which the arguments of a function are in registers.
type Probe struct {
	Function Function
	// Offset is in bytes, from the start of the file.
	Offset uint64
	// Return says that what the function returns matters too: a probe on its return
	// may be placed at the same offset.
	Return bool
}

// needed are the functions without which a file is not taken for OpenSSL: NSS has a libssl, too.
var needed = []Function{Read, Write, Handshake, Free}

// fileMax bounds the file, in bytes; Node.js has 100 MB. Little of it is read.
const fileMax = 1 << 30

func (f *Finder) probesIn(file *os.File) (procfs.FileIdentity, []Probe, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return procfs.FileIdentity{}, nil, err
	}
	id := procfs.IdentityOf(&st)
	if probes, ok := f.seen.Get(id); ok {
		return id, probes, nil
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size > fileMax {
		return id, nil, errors.New("not a library")
	}
	probes, err := read(file, st.Size)
	if err != nil {
		return id, nil, fmt.Errorf("reading %s: %w", file.Name(), err)
	}
	f.seen.Put(id, probes)
	return id, probes, nil
}

// read returns the probes for a file, none where OpenSSL is not in it.
func read(file *os.File, size int64) ([]Probe, error) {
	bin, err := elf.New(file, size)
	if err != nil {
		return nil, err
	}
	entries := map[Function]uint64{}
	for fn, name := range names {
		if at, ok := bin.Function(name); ok {
			entries[fn] = at
		}
	}
	for _, fn := range needed {
		if entries[fn] == 0 {
			return nil, nil
		}
	}
	return place(entries, codeOf(file, bin)), nil
}

// code reads up to n bytes of instructions at an offset; fewer, or none, where there are no more.
type code func(at uint64, n int) []byte

// codeOf reads the code of a file; of another processor than amd64 none, as the places in
// it are the entries of the functions.
func codeOf(file *os.File, bin *elf.File) code {
	if bin.Machine() != machine.EM_X86_64 {
		return func(uint64, int) []byte { return nil }
	}
	return func(at uint64, n int) []byte {
		b := make([]byte, n)
		got, _ := file.ReadAt(b, int64(at)) // short at the end of the file
		return b[:max(got, 0)]
	}
}

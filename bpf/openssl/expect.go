package openssl

import (
	"fmt"
	"path"

	"github.com/odi-dev/odi/internal/procfs"
)

// remember keeps under which names the executable of a process has loaded libraries, if it has.
func (f *Finder) remember(p *procfs.Process, names []string) {
	if len(names) == 0 {
		return
	}
	if program, err := executable(p); err == nil {
		f.loaded.Put(program, names)
	}
}

// Expect returns the libraries that a process is going to load, as its executable did when Find last saw it
// run: probes can be there before the loader maps them, and so before the first call of a program that is soon
// over. usual: one that was never seen is taken to load the library of its system. The caller closes the files.
// A process may load none of them after all.
func (f *Finder) Expect(pid uint32, usual bool) ([]Place, error) {
	p, err := procfs.Host.Open(int(pid))
	if err != nil {
		return nil, fmt.Errorf("expecting OpenSSL: %w", err)
	}
	defer func() { _ = p.Close() }()
	program, err := executable(p)
	if err != nil {
		return nil, fmt.Errorf("expecting OpenSSL in process %d: %w", pid, err)
	}
	names, known := f.loaded.Get(program)
	if !known && usual {
		names = usualNames()
	}
	var places []Place
	for _, name := range names {
		if file, err := p.OpenFile(name); err == nil { // else this root has none
			places = f.add(places, file)
		}
	}
	return places, nil
}

func executable(p *procfs.Process) (procfs.FileIdentity, error) {
	exe, err := p.OpenExe()
	if err != nil {
		return procfs.FileIdentity{}, err
	}
	defer func() { _ = exe.Close() }() // read only
	return procfs.Identify(exe)
}

// usualNames are where distributions have the library: Debian and its like, Fedora and its like, Alpine.
func usualNames() (names []string) {
	for _, dir := range []string{"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/lib"} {
		for _, file := range []string{"libssl.so.3", "libssl.so.1.1"} {
			names = append(names, path.Join(dir, file))
		}
	}
	return names
}

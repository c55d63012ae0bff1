package detect

import (
	"fmt"
	"hash/maphash"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/internal/procfs"
	"github.com/odi-dev/odi/internal/procfs/elf"
	"github.com/odi-dev/odi/languages/language"
)

// Executable is the identity of the file that a process runs. Offsets and facts about a binary are bound to
// all of it: an inode alone is given to another file as soon as the first is gone.
type Executable struct {
	Path    string // as the process sees it
	Dev     uint64
	Inode   uint64
	Size    int64
	ModTime int64 // nanoseconds since 1970
	BuildID string
}

// view is one process as a language room sees it, with the files that it opened.
type view struct {
	process    language.Process
	executable Executable
	files      *files
}

// look reads a process. What may be missing for good reasons (no ELF file, unreadable environment) is left
// empty; what means that the process cannot be looked at is an error.
func look(p *procfs.Process) (*view, error) {
	exe, err := p.Exe()
	if err != nil {
		return nil, err
	}
	v := &view{files: &files{process: p}}
	v.process = language.Process{Exe: exe, Files: v.files}
	if err := v.readMemory(p); err != nil {
		return nil, err
	}
	if err := v.openExecutable(p); err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

func (v *view) close() { v.files.close() }

func (v *view) readMemory(p *procfs.Process) (err error) {
	if v.process.Args, err = p.Args(); err != nil {
		return err
	}
	if v.process.Env, err = p.Environ(language.KeepEnv); err != nil {
		return err
	}
	if v.process.Maps, err = p.MappedFiles(); err != nil {
		return err
	}
	v.process.Secure, err = p.Secure()
	return err
}

func (v *view) openExecutable(p *procfs.Process) error {
	var f *os.File
	var err error
	if program := behindLoader(v.process); program != "" {
		v.process.Exe = program
		f, err = p.OpenFile(program)
	} else {
		f, err = p.OpenExe()
	}
	if err != nil {
		return err
	}
	binary := v.files.keep(f)
	v.process.Binary = binary
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return fmt.Errorf("reading identity of %s: %w", v.process.Exe, err)
	}
	v.executable = Executable{
		Path: v.process.Exe, Dev: st.Dev, Inode: st.Ino, Size: st.Size, ModTime: st.Mtim.Nano(), BuildID: binary.BuildID(),
	}
	return nil
}

// behindLoader returns the program when the dynamic loader was started by hand (/lib64/ld-linux-x86-64.so.2
// ./app): the executable is then the loader, and the program is the first mapped file that an argument names.
func behindLoader(p language.Process) string {
	name := path.Base(p.Exe)
	if !strings.HasPrefix(name, "ld-linux") && !strings.HasPrefix(name, "ld-musl-") && !strings.HasPrefix(name, "ld-2.") {
		return ""
	}
	for _, arg := range p.Args[min(1, len(p.Args)):] {
		for _, file := range p.Maps {
			if file != p.Exe && path.Base(file) == path.Base(arg) {
				return file
			}
		}
	}
	return ""
}

// key covers everything that detection looks at but the content of files other than the executable.
func (v *view) key(seed maphash.Seed) key {
	var h maphash.Hash
	h.SetSeed(seed)
	write := func(s string) {
		h.WriteString(s)
		h.WriteByte(0)
	}
	for _, list := range [][]string{v.process.Args, v.process.Maps} {
		for _, s := range list {
			write(s)
		}
		write("\x00")
	}
	names := make([]string, 0, len(v.process.Env))
	for name, value := range v.process.Env {
		names = append(names, name+"="+value)
	}
	slices.Sort(names)
	for _, s := range names {
		write(s)
	}
	return key{executable: v.executable, secure: v.process.Secure, rest: h.Sum64()}
}

// files opens files of one process and keeps them open until close.
type files struct {
	process *procfs.Process
	open    []*os.File
}

var _ language.Files = (*files)(nil)

// Read implements language.Files.
func (f *files) Read(path string, limit int64) ([]byte, error) {
	return f.process.ReadFile(path, limit)
}

// Binary implements language.Files.
func (f *files) Binary(path string) language.Binary {
	file, err := f.process.OpenFile(path)
	if err != nil {
		return &elf.File{}
	}
	return f.keep(file)
}

// keep makes an ELF file of an open file. One that cannot be read answers every question as empty.
func (f *files) keep(file *os.File) *elf.File {
	f.open = append(f.open, file)
	st, err := file.Stat()
	if err != nil {
		return &elf.File{}
	}
	b, err := elf.New(file, st.Size())
	if err != nil {
		return &elf.File{}
	}
	return b
}

func (f *files) close() {
	for _, file := range f.open {
		_ = file.Close() // It was only read.
	}
}

package bpf_test

import (
	"net"
	"net/http"
	"os"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/bpf/probe"
)

// Requests of include/uapi/linux/userfaultfd.h.
const (
	uffdAPI          = 0xaa
	uffdioAPI        = 0xc018aa3f
	uffdioRegister   = 0xc020aa00
	uffdioZeropage   = 0xc020aa04
	uffdRegisterMiss = 1
)

// slowPage is memory at which a call stops when it first writes there, until fill is
// called. stopped waits for that.
func slowPage(t *testing.T) (page []byte, stopped, fill func()) {
	t.Helper()
	fd, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC, 0, 0)
	if errno != 0 {
		t.Fatal("userfaultfd:", errno)
	}
	t.Cleanup(func() { unix.Close(int(fd)) })
	page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(page) })
	ask := func(what uintptr, args *[4]uint64) {
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, what, uintptr(unsafe.Pointer(args))); errno != 0 {
			t.Errorf("ioctl %x: %v", what, errno)
		}
	}
	at, size := uint64(uintptr(unsafe.Pointer(&page[0]))), uint64(len(page))
	ask(uffdioAPI, &[4]uint64{uffdAPI})
	ask(uffdioRegister, &[4]uint64{at, size, uffdRegisterMiss})
	stopped = func() {
		if _, err := unix.Read(int(fd), make([]byte, 64)); err != nil {
			t.Error("waiting for a call to stop:", err)
		}
	}
	return page, stopped, func() { ask(uffdioZeropage, &[4]uint64{at, size}) }
}

// connectTo returns a socket whose calls wait.
func connectTo(t *testing.T, addr net.Addr) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	to := addr.(*net.TCPAddr)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte(to.IP.To4()), Port: to.Port}); err != nil {
		t.Fatal(err)
	}
	return fd
}

// TestResetWhileTheAnswerIsRead: the kernel handles a reset that comes while a call
// holds the socket when that lets go of it, before anybody tells that it has read.
func TestResetWhileTheAnswerIsRead(t *testing.T) {
	needRoot(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	page, stopped, fill := slowPage(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer fill()
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = c.Read(make([]byte, 1024))
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
		stopped()
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
		time.Sleep(20 * time.Millisecond) // the reset waits for the socket by now
	}()
	r := record(t, uint32(os.Getpid()))
	fd := connectTo(t, l.Addr())
	if _, err := unix.Write(fd, []byte("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if n, err := unix.Read(fd, page); err != nil || n < 40 {
		t.Fatalf("read %d bytes: %v", n, err)
	}
	<-done
	unix.Close(fd)
	spans := r.waitFor(2)
	if len(spans) != 2 {
		t.Fatalf("%d spans, want 2 (drops %v)", len(spans), r.engine.Drops())
	}
	for _, s := range spans {
		if s.StatusCode != http.StatusOK || s.Error != probe.ErrorNone {
			t.Errorf("the span of kind %v ended with %d %s", s.Kind, s.StatusCode, s.Error)
		}
	}
}

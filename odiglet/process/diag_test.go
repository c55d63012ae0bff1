package process

import (
	"net"
	"testing"
)

func TestListeningSockets(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("no %s here: %v", address, err)
			continue
		}
		port := listener.Addr().(*net.TCPAddr).Port
		inodes, err := ListeningSockets(port)
		if err != nil {
			t.Fatal(err)
		}
		if len(inodes) != 1 {
			t.Errorf("%d sockets listen on %s, want 1", len(inodes), listener.Addr())
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		if inodes, err = ListeningSockets(port); err != nil || len(inodes) != 0 {
			t.Errorf("%d sockets listen where nobody does any more (%v)", len(inodes), err)
		}
	}
}

func TestParseDiagOfDamagedMessages(t *testing.T) {
	whole := diagRequest(2)
	for end := range len(whole) {
		if _, err := parseDiag(whole[:end], 80, map[uint32]bool{}); err == nil && end >= 16 {
			t.Errorf("%d bytes of %d are taken as whole", end, len(whole))
		}
	}
}

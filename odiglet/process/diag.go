package process

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Sizes of the messages of the kernel's socket diagnosis (linux/inet_diag.h).
const (
	diagRequestSize = 56 // inet_diag_req_v2
	diagAnswerSize  = 72 // inet_diag_msg
	tcpListen       = 10
)

// ListeningSockets returns the inodes of the sockets of this network namespace
// that listen on a TCP port. It asks for listeners only: reading /proc/net/tcp
// instead walks the table of all connections of the machine, for milliseconds.
func ListeningSockets(port int) (map[uint32]bool, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("asking for listeners: %w", err)
	}
	defer unix.Close(fd)
	inodes := make(map[uint32]bool)
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		if err := unix.Sendto(fd, diagRequest(family), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return nil, fmt.Errorf("asking for listeners: %w", err)
		}
		if err := readListeners(fd, uint16(port), inodes); err != nil {
			return nil, fmt.Errorf("reading listeners: %w", err)
		}
	}
	return inodes, nil
}

func diagRequest(family uint8) []byte {
	b := make([]byte, unix.SizeofNlMsghdr+diagRequestSize)
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	body := b[unix.SizeofNlMsghdr:]
	body[0], body[1] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(body[4:], 1<<tcpListen)
	return b
}

// readListeners reads one dump up to its end.
func readListeners(fd int, port uint16, inodes map[uint32]bool) error {
	buffer := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buffer, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		done, err := parseDiag(buffer[:n], port, inodes)
		if done || err != nil {
			return err
		}
	}
}

// parseDiag reads the messages of one datagram. done says that it was the last.
func parseDiag(b []byte, port uint16, inodes map[uint32]bool) (done bool, err error) {
	for len(b) >= unix.SizeofNlMsghdr {
		size := int(binary.NativeEndian.Uint32(b))
		if size < unix.SizeofNlMsghdr || size > len(b) {
			return true, errors.New("a message is cut off")
		}
		body := b[unix.SizeofNlMsghdr:size]
		switch binary.NativeEndian.Uint16(b[4:]) {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			return true, diagError(body)
		}
		// family, state, timer, retransmits, then the source port in network order; the inode comes last.
		if len(body) >= diagAnswerSize && binary.BigEndian.Uint16(body[4:]) == port {
			inodes[binary.NativeEndian.Uint32(body[diagAnswerSize-4:])] = true
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return false, nil
}

func diagError(body []byte) error {
	if len(body) < 4 {
		return errors.New("an error without a number")
	}
	return unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
}

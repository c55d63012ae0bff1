package peer

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// patience bounds every call: nothing in a script takes that long.
const patience = 20

// connector makes the next connection of a worker and tells the client's port.
type connector func(worker int) (fd int, port uint32, err error)

// endpoints listens, and says where, or knows where to connect to.
func endpoints(role []string) (connector, int, error) {
	family := role[1]
	if role[0] == "client" {
		places := role[2:]
		return func(i int) (int, uint32, error) { return dial(family, places[i]) }, len(places), nil
	}
	width, err := strconv.Atoi(role[2])
	if err != nil {
		return nil, 0, err
	}
	var listeners []int
	var places []string
	for i := range width {
		place := "0"
		if family == Unix {
			place = fmt.Sprintf("@odi-prove-%d-%d", os.Getpid(), i)
		}
		fd, port, err := listen(family, place)
		if err != nil {
			return nil, 0, err
		}
		if family != Unix {
			place = strconv.Itoa(int(port))
		}
		listeners = append(listeners, fd)
		places = append(places, place)
	}
	fmt.Println(strings.Join(places, " "))
	return func(i int) (int, uint32, error) { return accept(listeners[i]) }, width, nil
}

// Unix is the family of unix sockets. Their places are abstract names; all others are ports.
const Unix = "unix"

// address is where a family's sockets are: v4, v6, mapped (an IPv6 listener that
// IPv4 clients come to) or Unix.
func address(family, place string, server bool) (int, unix.Sockaddr, error) {
	if family == Unix {
		return unix.AF_UNIX, &unix.SockaddrUnix{Name: place}, nil
	}
	port, err := strconv.Atoi(place)
	switch {
	case family == "v6":
		return unix.AF_INET6, &unix.SockaddrInet6{Port: port, Addr: [16]byte{15: 1}}, err
	case family == "mapped" && server:
		return unix.AF_INET6, &unix.SockaddrInet6{Port: port}, err
	}
	return unix.AF_INET, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}, err
}

func listen(family, place string) (int, uint32, error) {
	domain, addr, err := address(family, place, true)
	if err != nil {
		return 0, 0, err
	}
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, err
	}
	if err := unix.Bind(fd, addr); err != nil {
		return 0, 0, err
	}
	if err := unix.Listen(fd, 16); err != nil {
		return 0, 0, err
	}
	own, err := unix.Getsockname(fd)
	if err != nil {
		return 0, 0, err
	}
	return fd, portOf(own), bound(fd)
}

func accept(listener int) (int, uint32, error) {
	fd, peer, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
	for errors.Is(err, unix.EINTR) { // a listener with a time limit is not waited for again by the kernel
		fd, peer, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("accept: %w", err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	return fd, portOf(peer), bound(fd)
}

func dial(family, place string) (int, uint32, error) {
	domain, addr, err := address(family, place, false)
	if err != nil {
		return 0, 0, err
	}
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, err
	}
	if err := unix.Connect(fd, addr); err != nil {
		_ = unix.Close(fd)
		return 0, 0, fmt.Errorf("connect: %w", err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	own, err := unix.Getsockname(fd)
	if err != nil {
		return 0, 0, err
	}
	return fd, portOf(own), bound(fd)
}

func portOf(addr unix.Sockaddr) uint32 {
	switch a := addr.(type) {
	case *unix.SockaddrInet4:
		return uint32(a.Port)
	case *unix.SockaddrInet6:
		return uint32(a.Port)
	}
	return 0
}

func bound(fd int) error {
	limit := unix.Timeval{Sec: patience}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		return err
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit); err != nil {
		return err
	}
	// A Unix socket counts some 800 bytes for a call that sends one: two sides that send a few hundred before
	// either reads would wait for each other for good.
	if domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN); err != nil || domain != unix.AF_UNIX {
		return err
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, unixBuffer)
}

// unixBuffer has room for all that a side sends before it reads.
const unixBuffer = 16 << 20

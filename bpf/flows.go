package bpf

import (
	"errors"
	"fmt"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/bpf/flow"
)

// flowValue is struct flow in flow/flow.h.
type flowValue struct {
	Sent     uint64
	Received uint64
	Resent   uint32
	PID      uint32
	Port     uint16
	Role     flow.Role
	_        [5]byte
}

// attachFlows prepares to ask those connections that stay open. What ends is told of anyway.
func (e *Engine) attachFlows(*kit) (degraded string, err error) {
	e.flows, err = link.AttachIter(link.IterOptions{Program: e.progs["odi_flows"], Map: e.maps["flows"]})
	if err != nil {
		return "", fmt.Errorf("attaching odi_flows: %w", err)
	}
	e.links = append(e.links, e.flows)
	return "", nil
}

// Flows returns what the TCP connections of all targets have done since they were added, and
// those of former ones until ForgetFlow. Nothing after Close.
func (e *Engine) Flows() ([]flow.Flow, error) {
	table := e.maps["flow_sums"]
	if table == nil || e.flows == nil {
		return nil, nil
	}
	if err := e.askFlows(); err != nil {
		return nil, err
	}
	var (
		all []flow.Flow
		f   flow.Flow
	)
	for rows := table.Iterate(); rows.Next(&f.Key, &f.Sums); {
		all = append(all, f)
	}
	return all, nil // an iteration that the programs have cut short is made again next time
}

// askFlows has each open connection tell what it has done.
func (e *Engine) askFlows() error {
	walk, err := e.flows.Open()
	if err != nil {
		return fmt.Errorf("walking over the connections: %w", err)
	}
	defer func() { _ = walk.Close() }() // read only
	if _, err := io.Copy(io.Discard, walk); err != nil {
		return fmt.Errorf("walking over the connections: %w", err)
	}
	return nil
}

// ForgetFlow begins the sums of a process and peer anew.
func (e *Engine) ForgetFlow(k flow.Key) error {
	if err := e.maps["flow_sums"].Delete(k); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return fmt.Errorf("forgetting the connections of process %d: %w", k.PID, err)
	}
	return nil
}

// adoptFlows begins what is kept of the connections that a target has open already. What they
// have done before does not count.
func (e *Engine) adoptFlows(t *target) {
	if e.flows == nil {
		return
	}
	e.eachConnection(t.PID, func(c connection) {
		value := flowValue{
			PID: t.PID, Port: c.port, Role: flow.Server,
			Sent: c.info.Bytes_acked, Received: c.info.Bytes_received, Resent: c.info.Total_retrans,
		}
		if c.outgoing {
			value.Role = flow.Client
			value.Sent-- // the SYN
			value.Port = peerPort(c.fd)
		}
		if err := e.maps["flows"].Update(int32(c.fd), value, ebpf.UpdateNoExist); err != nil && !errors.Is(err, ebpf.ErrKeyExist) {
			e.log.Debug("cannot follow a connection", "pid", t.PID, "reason", err)
		}
	})
}

func peerPort(fd int) uint16 {
	name, err := unix.Getpeername(fd)
	if err != nil {
		return 0
	}
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return uint16(a.Port)
	case *unix.SockaddrInet6:
		return uint16(a.Port)
	}
	return 0
}

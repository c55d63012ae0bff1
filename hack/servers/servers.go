// Package servers starts the real servers that proofs and benchmarks talk to, on
// loopback, with their data below a folder of the caller's.
package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"
)

// patience bounds how long a server takes until it answers.
const patience = 30 * time.Second

// Server is one that runs.
type Server struct {
	// Addr is where it listens.
	Addr string
	cmd  *exec.Cmd
	how  os.Signal
}

// PID is that of the process that was started; its children may do the work.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Stop ends it and waits. A nil one has ended.
func (s *Server) Stop() {
	if s == nil {
		return
	}
	_ = s.cmd.Process.Signal(s.how) // it may have ended
	ended := make(chan struct{})
	go func() {
		_ = s.cmd.Wait() // how it ends is nobody's concern
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		_ = s.cmd.Process.Kill()
		<-ended
	}
}

// Start starts a command that listens on the address, and waits until it does. What it
// prints is dropped.
func Start(addr string, cmd *exec.Cmd) (*Server, error) { return start(addr, cmd, os.Kill) }

func start(addr string, cmd *exec.Cmd, how os.Signal) (*Server, error) {
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	s := &Server{Addr: addr, cmd: cmd, how: how}
	if err := await(func() error { return listens(addr) }); err != nil {
		s.Stop()
		return nil, fmt.Errorf("waiting for %s: %w", cmd.Path, err)
	}
	return s, nil
}

func listens(addr string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

// await tries until something goes well.
func await(try func() error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// run runs a program that ends.
func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", cmd.Path, err, out)
	}
	return nil
}

// Package apiserver runs etcd and an API server alone, on loopback, for the
// tests of controllers: no nodes, no controllers of Kubernetes, no need to be root.
// Each folder has its own; any number of them run side by side.
package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/odi-dev/odi/hack/cluster/controlplane"
	"github.com/odi-dev/odi/hack/cluster/pki"
	"github.com/odi-dev/odi/hack/cluster/process"
)

// readyWithin is ten times what an idle machine needs.
const readyWithin = time.Minute

// grace is short: the API server would wait for its watchers, and what etcd
// could still write is removed anyway.
const grace = time.Second

// Server is an API server in a folder of its own.
type Server struct {
	dir string
}

// In is the server of a folder, running or not.
func In(dir string) (Server, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return Server{}, fmt.Errorf("finding %s: %w", dir, err)
	}
	return Server{dir: absolute}, nil
}

// Kubeconfig is the administrator's.
func (s Server) Kubeconfig() string { return filepath.Join(s.dir, "admin.kubeconfig") }

func (s Server) records() process.Records { return process.Records(filepath.Join(s.dir, "run")) }

// Up starts what does not run and waits until the server is ready.
// Binaries is the folder with the programs of Kubernetes.
func (s Server) Up(ctx context.Context, binaries string) error {
	ports, err := s.ports()
	if err != nil {
		return err
	}
	plan := controlplane.Plan{
		Binaries: binaries, Dir: s.dir, Keys: pki.Dir(filepath.Join(s.dir, "keys")),
		BindIP: "127.0.0.1", AdvertiseIP: "127.0.0.1",
		Port: ports[0], EtcdPort: ports[1], EtcdPeerPort: ports[2],
		ServiceCIDR: "10.0.0.0/24", ServiceIP: "10.0.0.1", // Never on any wire: nothing runs.
		WithoutNodes: true,
	}
	if err := plan.Prepare(); err != nil {
		return err
	}
	records := s.records()
	for _, spec := range []process.Spec{plan.Etcd(), plan.APIServer()} {
		if err := records.Ensure(spec); err != nil {
			return err
		}
	}
	limited, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	err = plan.WaitReady(limited, func() error { return records.Dead(controlplane.Etcd, controlplane.APIServer) })
	if err != nil {
		return errors.Join(fmt.Errorf("waiting for the API server: %w", err), s.Down())
	}
	return nil
}

// Down stops the server and removes its folder.
func (s Server) Down() error {
	records := s.records()
	err := errors.Join(
		records.Stop(controlplane.APIServer, grace),
		records.Stop(controlplane.Etcd, grace))
	if err != nil {
		return err
	}
	if _, err := os.Stat(s.Kubeconfig()); errors.Is(err, os.ErrNotExist) {
		return nil // Nothing was ever started there: it is not our folder to remove.
	}
	return os.RemoveAll(s.dir)
}

// ports returns the ports that the server has, or free ones that it gets.
func (s Server) ports() ([3]int, error) {
	var ports [3]int
	file := filepath.Join(s.dir, "ports.json")
	content, err := os.ReadFile(file)
	if err == nil {
		return ports, json.Unmarshal(content, &ports)
	}
	for i := range ports {
		// All are held until all are chosen, so that they differ.
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return ports, fmt.Errorf("choosing a free port: %w", err)
		}
		defer func() { _ = listener.Close() }()
		ports[i] = listener.Addr().(*net.TCPAddr).Port
	}
	content, err = json.Marshal(ports)
	if err != nil {
		return ports, err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return ports, fmt.Errorf("making the folder of the API server: %w", err)
	}
	return ports, os.WriteFile(file, content, 0o644)
}

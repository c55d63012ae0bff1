// Package controlplane says how etcd, the API server, the controller manager
// and the scheduler are started, and waits until the API server answers.
// A local cluster runs all four; controller tests need the first two only.
package controlplane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/odi-dev/odi/hack/cluster/pki"
	"github.com/odi-dev/odi/hack/cluster/process"
)

// Names of the programs and of the certificates they use.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Admin             = "admin"
	serviceAccounts   = "service-accounts"
	kubeletClient     = "apiserver-kubelet-client"
)

// Plan is everything that a control plane needs to know.
type Plan struct {
	Binaries string  // Folder with a link per program to the one binary.
	Dir      string  // Data and kubeconfigs.
	Keys     pki.Dir // Keys and certificates.
	Netns    string  // Network namespace; empty means the host's.

	BindIP       string // Where the API server listens.
	AdvertiseIP  string // What it tells others.
	Port         int    // Of the API server.
	EtcdPort     int
	EtcdPeerPort int
	ServiceCIDR  string
	ServiceIP    string // First address of ServiceCIDR.

	WithoutNodes bool // There will be no kubelet and no controller manager.
}

// Server is the URL of the API server.
func (p Plan) Server() string { return fmt.Sprintf("https://%s:%d", p.AdvertiseIP, p.Port) }

// Kubeconfig is the path of the kubeconfig of a component.
func (p Plan) Kubeconfig(name string) string { return filepath.Join(p.Dir, name+".kubeconfig") }

// Prepare makes the keys, and the kubeconfigs of the components.
func (p Plan) Prepare() error {
	identities := []pki.Identity{
		{Name: APIServer, User: APIServer, Hosts: []string{
			"localhost", "127.0.0.1", p.AdvertiseIP, p.ServiceIP,
			"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		}},
		{Name: Admin, User: "odi-admin", Groups: []string{"system:masters"}},
		{Name: serviceAccounts, User: serviceAccounts},
		{Name: kubeletClient, User: kubeletClient, Groups: []string{"system:masters"}},
		{Name: ControllerManager, User: "system:kube-controller-manager"},
		{Name: Scheduler, User: "system:kube-scheduler"},
	}
	if err := p.Keys.Ensure(identities...); err != nil {
		return err
	}
	if err := p.writeAuditPolicy(); err != nil {
		return err
	}
	return p.WriteKubeconfigs(Admin, ControllerManager, Scheduler)
}

// WriteKubeconfigs writes the kubeconfigs of identities that have certificates.
func (p Plan) WriteKubeconfigs(names ...string) error {
	for _, name := range names {
		content, err := p.Keys.Kubeconfig(name, p.Server())
		if err != nil {
			return err
		}
		if err := os.WriteFile(p.Kubeconfig(name), content, 0o600); err != nil {
			return fmt.Errorf("writing the kubeconfig of %s: %w", name, err)
		}
	}
	return nil
}

func (p Plan) etcdURL() string { return fmt.Sprintf("http://127.0.0.1:%d", p.EtcdPort) }

// Etcd says how etcd is started.
func (p Plan) Etcd() process.Spec {
	peer := fmt.Sprintf("http://127.0.0.1:%d", p.EtcdPeerPort)
	return p.spec(Etcd,
		"--data-dir="+filepath.Join(p.Dir, "etcd"),
		"--listen-client-urls="+p.etcdURL(), "--advertise-client-urls="+p.etcdURL(),
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer,
		"--initial-cluster=default="+peer,
		"--unsafe-no-fsync", // Nobody's data: losing it with the machine's power is fine.
		"--log-level=warn")
}

// APIServer says how the API server is started.
func (p Plan) APIServer() process.Spec {
	args := []string{
		"--etcd-servers=" + p.etcdURL(),
		"--bind-address=" + p.BindIP, fmt.Sprintf("--secure-port=%d", p.Port),
		"--advertise-address=" + p.AdvertiseIP,
		"--service-cluster-ip-range=" + p.ServiceCIDR,
		"--client-ca-file=" + p.Keys.Cert(pki.CA),
		"--tls-cert-file=" + p.Keys.Cert(APIServer), "--tls-private-key-file=" + p.Keys.Key(APIServer),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + p.Keys.Key(serviceAccounts),
		"--service-account-signing-key-file=" + p.Keys.Key(serviceAccounts),
		"--authorization-mode=Node,RBAC",
		"--allow-privileged",
		"--profiling=false",
	}
	if p.WithoutNodes {
		// No controller makes the service accounts that admission would ask for,
		// and no endpoint may be a loopback address.
		args = append(args, "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none")
		return p.spec(APIServer, args...)
	}
	args = append(args, p.auditArgs()...)
	return p.spec(APIServer, append(args,
		"--enable-admission-plugins=NodeRestriction",
		"--kubelet-certificate-authority="+p.Keys.Cert(pki.CA),
		"--kubelet-client-certificate="+p.Keys.Cert(kubeletClient), "--kubelet-client-key="+p.Keys.Key(kubeletClient),
		// The node's name is in no DNS: without this, `kubectl logs` finds no address.
		"--kubelet-preferred-address-types=InternalIP")...)
}

// ControllerManager says how the controller manager is started.
func (p Plan) ControllerManager() process.Spec {
	return p.spec(ControllerManager,
		"--kubeconfig="+p.Kubeconfig(ControllerManager),
		"--root-ca-file="+p.Keys.Cert(pki.CA),
		"--service-account-private-key-file="+p.Keys.Key(serviceAccounts),
		"--use-service-account-credentials",
		"--leader-elect=false",
		"--bind-address=127.0.0.1")
}

// Scheduler says how the scheduler is started.
func (p Plan) Scheduler() process.Spec {
	return p.spec(Scheduler,
		"--kubeconfig="+p.Kubeconfig(Scheduler),
		"--leader-elect=false",
		"--bind-address=127.0.0.1")
}

func (p Plan) spec(name string, args ...string) process.Spec {
	return process.Spec{
		Name:  name,
		Argv:  append([]string{filepath.Join(p.Binaries, name)}, args...),
		Netns: p.Netns,
	}
}

// WaitReady waits until the API server says that it is ready, or until running
// says that it never will be.
func (p Plan) WaitReady(ctx context.Context, running func() error) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	for {
		err := get(ctx, client, p.Server()+"/readyz")
		if err == nil {
			return nil
		}
		if dead := running(); dead != nil {
			return dead
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p Plan) client() (*http.Client, error) {
	authority, err := os.ReadFile(p.Keys.Cert(pki.CA))
	if err != nil {
		return nil, fmt.Errorf("reading the authority: %w", err)
	}
	certificate, err := tls.LoadX509KeyPair(p.Keys.Cert(Admin), p.Keys.Key(Admin))
	if err != nil {
		return nil, fmt.Errorf("reading the administrator's certificate: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	config := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	// No proxy, whatever the environment says: the server is on this machine.
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: 5 * time.Second}, nil
}

func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 2000)) // Best effort: it is for the message.
		return fmt.Errorf("%s answers %s: %s", url, response.Status, body)
	}
	return nil
}

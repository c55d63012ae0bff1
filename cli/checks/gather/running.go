package gather

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/cli/components"
)

func observe(ctx context.Context, g *gatherer) {
	seen, err := components.Observe(ctx, g.c, g.Namespace)
	g.facts.Components = read(g, seen, err)
}

func hookEndpoints(ctx context.Context, g *gatherer) {
	n, err := g.readyBehind(ctx, g.Namespace, "odi-webhook")
	g.facts.HookEndpoints = read(g, n, err)
}

// ownCertificates are the Secrets that odi's components know each other by.
var ownCertificates = []string{"odi-odiglet-tls", "odi-node-collector-tls", "odi-gateway-tls", "odi-webhook-tls"}

func certificates(ctx context.Context, g *gatherer) {
	var all []checks.Certificate
	for _, name := range ownCertificates {
		var secret corev1.Secret
		err := g.c.Get(ctx, client.ObjectKey{Namespace: g.Namespace, Name: name}, &secret)
		if apierrors.IsNotFound(err) {
			all = append(all, checks.Certificate{Secret: name, Problem: "the Secret does not exist"})
			continue
		}
		if err != nil {
			g.facts.Certificates = read[[]checks.Certificate](g, nil, err)
			return
		}
		all = append(all, ofSecret(name, secret.Data))
	}
	g.facts.Certificates = checks.Of(all)
}

// ofSecret is the certificate of a Secret that runs out first; those of authorities have no key beside them.
func ofSecret(name string, data map[string][]byte) checks.Certificate {
	soonest := checks.Certificate{Secret: name, Problem: "it has no certificate"}
	for file, content := range data {
		prefix, ok := strings.CutSuffix(file, ".crt")
		if _, has := data[prefix+".key"]; !ok || !has {
			continue
		}
		block, _ := pem.Decode(content)
		if block == nil {
			return checks.Certificate{Secret: name, Problem: file + " is no PEM"}
		}
		parsed, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return checks.Certificate{Secret: name, Problem: file + ": " + err.Error()}
		}
		if soonest.Problem != "" || parsed.NotAfter.Before(soonest.Until) {
			soonest = checks.Certificate{Secret: name, Until: parsed.NotAfter}
		}
	}
	return soonest
}

func configs(ctx context.Context, g *gatherer) {
	var list odiv1.InstrumentationConfigList
	err := g.c.List(ctx, &list)
	g.facts.Configs = read(g, list.Items, err)
}

// destinations reads them, and looks for the Services of this cluster that they name.
func destinations(ctx context.Context, g *gatherer) {
	var list odiv1.DestinationList
	err := g.c.List(ctx, &list)
	g.facts.Destinations = read(g, list.Items, err)
	g.asking(ctx, list.Items)
	if err != nil {
		g.facts.Backends = checks.Not[[]checks.Backend](g.facts.Destinations.Why)
		return
	}
	found := make([]*checks.Backend, len(list.Items))
	errs := make([]error, len(list.Items))
	each(len(list.Items), func(i int) { found[i], errs[i] = g.backend(ctx, list.Items[i]) })
	var backends []checks.Backend
	for i := range found {
		if errs[i] != nil {
			g.facts.Backends = read[[]checks.Backend](g, nil, errs[i])
			return
		}
		if found[i] != nil {
			backends = append(backends, *found[i])
		}
	}
	g.facts.Backends = checks.Of(backends)
}

// backend is nil for a Destination that sends elsewhere.
func (g *gatherer) backend(ctx context.Context, d odiv1.Destination) (*checks.Backend, error) {
	host, port := addressOf(d.Spec.Config["endpoint"])
	namespace, name, certain := serviceOf(host, g.Namespace)
	if name == "" || port == 0 || d.Spec.Disabled {
		return nil, nil
	}
	b := &checks.Backend{Destination: d.Namespace + "/" + d.Name, Service: namespace + "/" + name, Port: port}
	var service corev1.Service
	err := g.c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &service)
	switch {
	case apierrors.IsNotFound(err) && !certain:
		if missing := g.c.Get(ctx, client.ObjectKey{Name: namespace}, &corev1.Namespace{}); apierrors.IsNotFound(missing) {
			return nil, nil // a.b is a name on the internet, too
		}
		b.Problem = "there is no such Service"
		return b, nil
	case apierrors.IsNotFound(err):
		b.Problem = "there is no such Service"
		return b, nil
	case err != nil:
		return nil, err
	}
	return b, g.behind(ctx, &service, b)
}

func (g *gatherer) behind(ctx context.Context, service *corev1.Service, b *checks.Backend) error {
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return nil
	}
	ports := service.Spec.Ports
	if !slices.ContainsFunc(ports, func(p corev1.ServicePort) bool { return int(p.Port) == b.Port }) && service.Spec.ClusterIP != corev1.ClusterIPNone {
		b.Problem = "the Service has no such port"
		return nil
	}
	n, err := g.readyBehind(ctx, service.Namespace, service.Name)
	if err == nil && n == 0 {
		b.Problem = "no ready pod is behind it"
	}
	return err
}

// addressOf is host and port of an endpoint as Destinations have it: a URL, or host:port.
func addressOf(endpoint string) (host string, port int) {
	if !strings.Contains(endpoint, "://") {
		endpoint = "tcp://" + endpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil || net.ParseIP(u.Hostname()) != nil {
		return "", 0
	}
	port, _ = strconv.Atoi(u.Port())
	if port == 0 {
		port = map[string]int{"http": 80, "https": 443}[u.Scheme]
	}
	return u.Hostname(), port
}

// serviceOf reads the name of a Service; certain says that it cannot be a name on the internet.
func serviceOf(host, home string) (namespace, name string, certain bool) {
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	switch {
	case host == "":
		return "", "", false
	case len(labels) == 1:
		return home, labels[0], true
	case len(labels) == 2:
		return labels[1], labels[0], false
	case labels[2] == "svc":
		return labels[1], labels[0], true
	}
	return "", "", false
}

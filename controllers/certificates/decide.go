package certificates

import (
	"bytes"
	"fmt"
	"time"

	"github.com/odi-dev/odi/internal/authority"
)

// Names of the Secrets.
const (
	authoritiesName   = "odi-authorities"
	odigletName       = "odi-odiglet-tls"
	nodeCollectorName = "odi-node-collector-tls"
	gatewayName       = "odi-gateway-tls"
	webhookName       = "odi-webhook-tls"
)

// Input is what there is. A Secret that is not there has no data.
type Input struct {
	Namespace string
	Now       time.Time
	// Secrets is the data of each, by name.
	Secrets map[string]map[string][]byte
}

// secret is one that is to be.
type secret struct {
	name string
	data map[string][]byte
	// changed says that it is not so yet.
	changed bool
}

// certificate is a pair within a Secret: its files are Prefix.crt and Prefix.key.
type certificate struct {
	secret, prefix string
	hop            authority.Hop
	holder         authority.Holder
}

// certificatesOf lists both ends of both hops, and the webhook's. Nothing but the gateway's server
// and the odiglet's client is in their Secrets: a stolen one is of use for one end alone.
func certificatesOf(namespace string) []certificate {
	hosts := func(service string) []string {
		return []string{service + "." + namespace, service + "." + namespace + ".svc"}
	}
	return []certificate{
		{odigletName, "client", authority.ToNode, authority.Holder{Component: "odiglet"}},
		{nodeCollectorName, "server", authority.ToNode, authority.Holder{Component: "node-collector", Server: true, Hosts: hosts("odi-node-collector")}},
		{nodeCollectorName, "client", authority.ToGateway, authority.Holder{Component: "node-collector"}},
		{gatewayName, "server", authority.ToGateway, authority.Holder{Component: "gateway", Server: true, Hosts: hosts("odi-gateway")}},
		{webhookName, "server", authority.ToWebhook, authority.Holder{Component: "webhook", Server: true, Hosts: hosts("odi-webhook")}},
	}
}

// decide returns all Secrets as they are to be, what signs before what is signed.
func decide(in Input) ([]secret, error) {
	authorities, kept, err := decideAuthorities(in)
	if err != nil {
		return nil, err
	}
	data := map[string]map[string][]byte{odigletName: {}, nodeCollectorName: {}, gatewayName: {}, webhookName: {}}
	for _, c := range certificatesOf(in.Namespace) {
		have := in.Secrets[c.secret]
		pair, err := authority.Pair{Cert: have[c.prefix+".crt"], Key: have[c.prefix+".key"]}.Renew(authorities[c.hop], c.holder, in.Now)
		if err != nil {
			return nil, fmt.Errorf("renewing what %s shows to %s: %w", c.holder.Component, c.hop, err)
		}
		data[c.secret][c.prefix+".crt"], data[c.secret][c.prefix+".key"] = pair.Cert, pair.Key
		// What the other end is known by: a server's clients and a client's server. The API server is nobody's
		// client here: the Secret has what it is told to trust.
		trusts := map[bool]string{true: "clients.crt", false: string(c.hop) + ".crt"}[c.holder.Server && c.hop != authority.ToWebhook]
		data[c.secret][trusts] = authorities[c.hop].Bundle()
	}
	secrets := []secret{kept}
	for _, name := range []string{gatewayName, nodeCollectorName, odigletName, webhookName} {
		secrets = append(secrets, secret{name: name, data: data[name], changed: differs(data[name], in.Secrets[name])})
	}
	return secrets, nil
}

// decideAuthorities renews them. Authorities that cannot be read are an error
// and not a reason for new ones: every component would have to learn of them at once.
func decideAuthorities(in Input) (map[authority.Hop]authority.Authorities, secret, error) {
	out := secret{name: authoritiesName, data: map[string][]byte{}}
	all := map[authority.Hop]authority.Authorities{}
	for _, hop := range []authority.Hop{authority.ToNode, authority.ToGateway, authority.ToWebhook} {
		have := in.Secrets[authoritiesName]
		known, err := authority.Decode(have[string(hop)+".crt"], have[string(hop)+".key"])
		if err != nil {
			return nil, secret{}, fmt.Errorf("%w (to begin anew: kubectl -n %s delete secret %s)", err, in.Namespace, authoritiesName)
		}
		if all[hop], err = known.Renew(hop, in.Now); err != nil {
			return nil, secret{}, fmt.Errorf("renewing the authorities of %s: %w", hop, err)
		}
		if out.data[string(hop)+".crt"], out.data[string(hop)+".key"], err = all[hop].Encode(); err != nil {
			return nil, secret{}, err
		}
	}
	out.changed = differs(out.data, in.Secrets[authoritiesName])
	return all, out, nil
}

// differs says that something of ours is not so. What others add stays theirs.
func differs(want, have map[string][]byte) bool {
	for key, value := range want {
		if !bytes.Equal(have[key], value) {
			return true
		}
	}
	return false
}

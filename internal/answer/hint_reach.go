package answer

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

var redirectedTo = regexp.MustCompile(`redirects are not followed: [0-9]+ to (https?://[^\s"]+)`)

// reaching are clues of names, connections and what is on the way.
var reaching = []clue{
	{because("odi sends nothing"), always("Loopback, link-local, the node, the API server and odi itself are nobody's backend. " +
		"The chart's value allowedAddresses makes exceptions.")},
	{because("it answers with a redirect"), redirected},
	{because("no such host"), noName},
	{says("server misbehaving"), dnsFails},
	{because(unnamed), always("The cluster's DNS does not answer the gateway: a NetworkPolicy that keeps UDP 53 in, or it is down: " +
		"kubectl get pods -n kube-system -l k8s-app=kube-dns")},
	{because("connection refused"), func(q question) string {
		return fmt.Sprintf("Nothing listens there. Is it running, and is %s the port of OTLP (mostly 4317 for gRPC, 4318 for HTTP)?", q.port())
	}},
	{because("no route"), always("The gateway's node has no way there: routes, or a family of IP addresses that the cluster does not have.")},
	{func(q question) bool { return strings.HasPrefix(q.cause, "no answer") && q.unconnected() }, func(question) string {
		return "Packets are lost on the way: a NetworkPolicy that keeps odi-gateway in or out, a firewall, a security group. " +
			"odi uses no proxy: where only a proxy leads out, send to a collector that uses it."
	}},
	{because("a proxy"), always("odi uses no proxy by itself: something on the way takes its requests. Have it let this address pass, " +
		"or send to a collector that logs in to it.")},
	{because("no answer"), silence},
}

func redirected(q question) string {
	if to := found(redirectedTo, q.Words); to != "" {
		if strings.HasPrefix(q.Endpoint, "http://") && strings.HasPrefix(to, "https://") {
			return "It wants TLS: write " + to + " in the address."
		}
		return "It leads to " + to + ": if data belongs there, write that in the address. A login page is not where data goes."
	}
	return "Write the address that it leads to."
}

// dnsFails: the name server has an answer, SERVFAIL or REFUSED, as one without another to ask
// has for all names that are not the cluster's.
func dnsFails(q question) string {
	const pods = "kubectl get pods -n kube-system -l k8s-app=kube-dns"
	if service, is := q.service(); is {
		return service + "; if there is, the cluster's DNS is in trouble: " + pods
	}
	return "The cluster's DNS fails for this name: it, or the name server that it asks, is in trouble: " + pods
}

// service asks for the Service that a name may be that of.
func (q question) service() (ask string, is bool) {
	labels := strings.Split(q.host(), ".")
	if len(labels) < 2 || len(labels) > 2 && labels[2] != "svc" {
		return "", false
	}
	return fmt.Sprintf("Is there a Service %s in the namespace %s? kubectl get service -n %s", labels[0], labels[1], labels[1]), true
}

func noName(q question) string {
	host := q.host()
	if !strings.Contains(host, ".") {
		return fmt.Sprintf("A name without a dot is looked for in odi's own namespace: write %s.NAMESPACE for a Service of another.", host)
	}
	if service, is := q.service(); is {
		return service
	}
	if f, has := q.region(); has {
		return fmt.Sprintf("Check %s: is there such a region or account? See %s", f, q.Type.Docs)
	}
	return "Check the name's spelling. If it is right, the cluster's DNS does not know it: names of a private network need a forwarder."
}

func silence(q question) string {
	switch {
	case strings.HasPrefix(q.Endpoint, "http://"):
		return "It takes the connection and says nothing. Does it want TLS (https://), or is the port another protocol's?"
	case q.shaking():
		return "It takes the connection and says nothing to TLS. Does it speak plain text there (http://)?"
	}
	return "It takes the connection and does not answer in time: the port may be another protocol's, or it is overloaded."
}

func (q question) address() *url.URL {
	text := q.URL
	if text == "" {
		text = q.Endpoint
	}
	if u, err := url.Parse(text); err == nil {
		return u
	}
	return &url.URL{}
}

func (q question) host() string { return q.address().Hostname() }

func (q question) port() string {
	u := q.address()
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}

// plain says whether it is sent without TLS.
func (q question) plain() bool { return q.address().Scheme == "http" }

// otherScheme is the host with TLS instead of without, or the reverse.
func (q question) otherScheme() string {
	scheme := "http"
	if q.plain() {
		scheme = "https"
	}
	host := q.host()
	if port := q.address().Port(); port != "" {
		host = net.JoinHostPort(host, port)
	}
	return scheme + "://" + host
}

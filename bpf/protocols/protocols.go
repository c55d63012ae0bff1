// Package protocols lists the protocols that the engine sees. To add one is a folder
// below bpf and a line here, see docs/adding-a-protocol.md.
package protocols

import (
	"github.com/odi-dev/odi/bpf/dns"
	"github.com/odi-dev/odi/bpf/handshake"
	"github.com/odi-dev/odi/bpf/http1"
	"github.com/odi-dev/odi/bpf/http2"
	"github.com/odi-dev/odi/bpf/kafka"
	"github.com/odi-dev/odi/bpf/mysql"
	"github.com/odi-dev/odi/bpf/postgres"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/redis"
)

// All lists the protocol rooms: what exchanges are decoded by.
func All() []probe.Protocol {
	return []probe.Protocol{
		http1.Protocol,
		redis.Protocol,
		mysql.Protocol,
		postgres.Protocol,
		http2.Protocol,
		kafka.Protocol,
		dns.Protocol,
		handshake.Protocol,
	}
}

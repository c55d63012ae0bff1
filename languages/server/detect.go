package server

import (
	"strings"

	"github.com/odi-dev/odi/languages/language"
)

// Language is the room of the servers that are compiled and known by their executable. Servers in Go, Java
// and Erlang are their language's, and get their name from Name.
var Language = language.Language{Name: "server", Detect: detect}

func detect(p language.Process) (language.Runtime, bool) {
	s, ok := byExecutable[p.ExeName()]
	if !ok || s.language == language.Go || s.hosts && hostsApplication(p) {
		return language.Runtime{}, false
	}
	return language.Runtime{Language: s.language, Server: s.name, EventLoop: s.loop, Strict: s.strict}, true
}

type server struct {
	name     string
	language language.Name
	loop     bool // forwards many requests on one thread
	strict   bool // moves requests between threads
	hosts    bool // may have an application loaded into it, which then counts
}

// byExecutable maps the file names of executables to servers.
var byExecutable = map[string]server{
	"nginx":      {name: "nginx", language: language.C, loop: true, hosts: true},
	"openresty":  {name: "nginx", language: language.C, loop: true},
	"angie":      {name: "nginx", language: language.C, loop: true},
	"haproxy":    {name: "haproxy", language: language.C, loop: true},
	"envoy":      {name: "envoy", language: language.CPP, loop: true},
	"lighttpd":   {name: "lighttpd", language: language.C, loop: true},
	"varnishd":   {name: "varnish", language: language.C},
	"squid":      {name: "squid", language: language.CPP, loop: true},
	"apache2":    {name: "apache", language: language.C, hosts: true},
	"httpd":      {name: "apache", language: language.C, hosts: true},
	"unitd":      {name: "unit", language: language.C, hosts: true},
	"pgbouncer":  {name: "pgbouncer", language: language.C},
	"postgres":   {name: "postgres", language: language.C},
	"mysqld":     {name: "mysql", language: language.CPP},
	"mariadbd":   {name: "mariadb", language: language.CPP},
	"proxysql":   {name: "proxysql", language: language.CPP},
	"mongod":     {name: "mongodb", language: language.CPP},
	"mongos":     {name: "mongodb", language: language.CPP},
	"clickhouse": {name: "clickhouse", language: language.CPP, strict: true},

	"redis-server":    {name: "redis", language: language.C},
	"redis-sentinel":  {name: "redis", language: language.C},
	"redis-check-rdb": {name: "redis", language: language.C}, // Debian's redis-server is a link to it
	"valkey-server":   {name: "valkey", language: language.C},
	"keydb-server":    {name: "keydb", language: language.CPP},
	"dragonfly":       {name: "dragonfly", language: language.CPP, strict: true},
	"memcached":       {name: "memcached", language: language.C},
	"linkerd2-proxy":  {name: "linkerd-proxy", language: language.Rust, strict: true},
	"scylla":          {name: "scylla", language: language.CPP, strict: true},
	"named":           {name: "bind", language: language.C},
	"unbound":         {name: "unbound", language: language.C},
	"dnsmasq":         {name: "dnsmasq", language: language.C},
	"sshd":            {name: "sshd", language: language.C},
	"fluent-bit":      {name: "fluent-bit", language: language.C},
	"vector":          {name: "vector", language: language.Rust, strict: true},
	"etcd":            {name: "etcd", language: language.Go},
	"coredns":         {name: "coredns", language: language.Go},
	"traefik":         {name: "traefik", language: language.Go},
	"caddy":           {name: "caddy", language: language.Go},
	"prometheus":      {name: "prometheus", language: language.Go},
	"nats-server":     {name: "nats", language: language.Go},
	"minio":           {name: "minio", language: language.Go},
	"influxd":         {name: "influxdb", language: language.Go},
	"vault":           {name: "vault", language: language.Go},
	"consul":          {name: "consul", language: language.Go},
	"cockroach":       {name: "cockroachdb", language: language.Go},
	"pilot-agent":     {name: "istio-agent", language: language.Go},
	"otelcol":         {name: "otel-collector", language: language.Go},
	"otelcol-contrib": {name: "otel-collector", language: language.Go},
	"odi-collector":   {name: "odi-collector", language: language.Go},
	"jaeger":          {name: "jaeger", language: language.Go},
	"grafana":         {name: "grafana", language: language.Go},
	"dockerd":         {name: "docker", language: language.Go},
	"containerd":      {name: "containerd", language: language.Go},
	"daprd":           {name: "dapr", language: language.Go},
	"tidb-server":     {name: "tidb", language: language.Go},
	"cloud-sql-proxy": {name: "cloud-sql-proxy", language: language.Go},
}

// byArgument maps what stands on the command line of servers that share a runtime's executable.
var byArgument = []struct {
	language language.Name
	argument string
	name     string
}{
	{language.Java, "kafka.Kafka", "kafka"},
	{language.Java, "org.apache.kafka.connect.cli.ConnectDistributed", "kafka-connect"},
	{language.Java, "org.apache.zookeeper.server.quorum.QuorumPeerMain", "zookeeper"},
	{language.Java, "org.apache.cassandra.service.CassandraDaemon", "cassandra"},
	{language.Java, "org.elasticsearch.bootstrap.Elasticsearch", "elasticsearch"},
	{language.Java, "org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch", "elasticsearch"},
	{language.Java, "org.opensearch.bootstrap.OpenSearch", "opensearch"},
	{language.Java, "org.apache.activemq.artemis.boot.Artemis", "artemis"},
	{language.Java, "org.neo4j.server.Neo4jCommunity", "neo4j"},
	{language.Java, "org.apache.pulsar.PulsarBrokerStarter", "pulsar"},
	{language.Erlang, "rabbit", "rabbitmq"},
	{language.Erlang, "couch", "couchdb"},
}

// Name names the server that a process of a language is, or "".
func Name(p language.Process, of language.Name) string {
	if s, ok := byExecutable[p.ExeName()]; ok && s.language == of {
		return s.name
	}
	for _, known := range byArgument {
		if known.language != of {
			continue
		}
		for _, arg := range p.Args {
			if arg == known.argument {
				return known.name
			}
		}
	}
	return ""
}

// hostsApplication says whether an interpreter is loaded into a web server (mod_php, mod_wsgi, Passenger).
func hostsApplication(p language.Process) bool {
	_, ok := p.MappedFunc(func(name string) bool {
		for _, prefix := range []string{"libphp", "mod_php", "libpython", "libruby"} {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
		return false
	})
	return ok
}

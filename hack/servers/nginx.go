package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const nginxConfig = `daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log /dev/null;
events {}
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
  server { listen %[2]s; location / { return 200 "hello\n"; } }
}
`

// Nginx starts nginx with one worker, which answers with a word.
func Nginx(dir string) (*Server, error) {
	addr, _, err := free()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, fmt.Appendf(nil, nginxConfig, dir, addr), 0o600); err != nil {
		return nil, err
	}
	return start(addr, exec.Command("nginx", "-c", path), os.Interrupt) // its worker ends, too
}

#!/bin/dash
# Makes a certificate, which nobody checks, and starts nginx, whose configuration names it.
set -eu
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=nginx \
  -keyout /tmp/nginx.key -out /tmp/nginx.crt
exec /usr/sbin/nginx

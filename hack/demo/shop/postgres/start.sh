#!/bin/dash
# Makes a database of PostgreSQL below /data and serves it over TLS, and not without, to everybody in
# the cluster. Nothing in it has to survive the pod, nor has its certificate, which nobody checks.
set -eu
bin=/usr/lib/postgresql/15/bin
data=/data/postgres # a folder of its own: it must be its user's
if [ ! -f $data/PG_VERSION ]; then
  $bin/initdb -D $data -U shop --auth=trust --no-sync --encoding=UTF8 --locale=C
  echo 'hostssl all all all trust' >>$data/pg_hba.conf
fi
if [ ! -f $data/server.crt ]; then
  umask 077 # else it refuses the key
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=postgres \
    -keyout $data/server.key -out $data/server.crt
fi
exec $bin/postgres -D $data -c 'listen_addresses=*' -c ssl=on -c unix_socket_directories=/tmp -c fsync=off -c shared_buffers=16MB

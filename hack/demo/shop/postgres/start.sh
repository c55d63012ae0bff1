#!/bin/dash
# Makes a database of PostgreSQL below /data and serves it to everybody in the cluster. Nothing in
# it has to survive the pod.
set -eu
bin=/usr/lib/postgresql/15/bin
data=/data/postgres # a folder of its own: it must be its user's
if [ ! -f $data/PG_VERSION ]; then
  $bin/initdb -D $data -U shop --auth=trust --no-sync --encoding=UTF8 --locale=C
  echo 'host all all all trust' >>$data/pg_hba.conf
fi
exec $bin/postgres -D $data -c 'listen_addresses=*' -c unix_socket_directories=/tmp -c fsync=off -c shared_buffers=16MB

// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Ties the goroutine that asks to the connection that another goroutine writes.
//
// Hook:  net/http.(*persistConn).roundTrip, at the first instruction that the
//        kernel emulates; the receiver is still in its register there.
// State: go_ties, taken out when the request is written or the socket closes.
#pragma once

#include "../include/link.h"

// socket_of returns the address of the struct sock behind a file descriptor.
inline_ u64 socket_of(u32 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files, *file = 0;
	struct socket *sock;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	files = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	sock = BPF_CORE_READ(file, private_data);
	return (u64)BPF_CORE_READ(sock, sk);
}

// tcp_socket returns the socket of a *net.TCPConn, 0 where conn is something else.
inline_ u64 tcp_socket(struct target *g, u64 conn)
{
	u64 netfd = 0;
	u64 kind[2] = {}; // family, sotype
	u32 fd = 0;

	if (bpf_probe_read_user(&netfd, 8, (void *)conn) ||
	    bpf_probe_read_user(kind, sizeof(kind), (void *)(netfd + g->family_off)) ||
	    bpf_probe_read_user(&fd, 4, (void *)(netfd + g->sysfd_off)))
		return 0;
	if ((kind[0] != AF_INET && kind[0] != AF_INET6) || kind[1] != SOCK_STREAM)
		return 0;
	return socket_of(fd);
}

// connection_of follows persistConn.conn (a net.Conn) to its socket; 0 where it
// is TLS. Types of a program's own mostly begin with the connection that they
// wrap, as a pointer or a net.Conn, or have one word before it.
noinline_ u64 connection_of(struct target *g, u64 pconn)
{
	struct {
		u64 type, data;
		u64 tls; // persistConn.tlsState
	} conn = {};
	u64 begin[3] = {}, sk;

	if (!g || bpf_probe_read_user(&conn, sizeof(conn), (void *)(pconn + g->pconn_off)) || conn.tls)
		return 0;
	sk = tcp_socket(g, conn.data);
	if (sk || bpf_probe_read_user(begin, sizeof(begin), (void *)conn.data))
		return sk;
	sk = tcp_socket(g, begin[1]);
	if (!sk)
		sk = tcp_socket(g, begin[0]);
	if (!sk)
		sk = tcp_socket(g, begin[2]);
	return sk;
}

// tie_up notes that goroutine w->goid asks for the next request of a socket. Not
// inline: its stack has no room beside its caller's.
noinline_ int tie_up(struct target *g, struct who *w, u64 sk)
{
	struct tie tie = {};

	if (!g || !w)
		return 0;
	if (!goroutine_parent(g, w, &tie.parent))
		tie.parent.span = 0;
	tie.goid = w->goid;
	if (bpf_map_update_elem(&go_ties, &sk, &tie, BPF_ANY))
		count(DROP_TABLE_FULL);
	return 0;
}

SEC("uprobe.multi")
int odi_roundtrip(struct raw_regs *ctx)
{
	struct target *g = current_target();
	u64 id = bpf_get_current_pid_tgid();
	struct who w = {.tgid = id >> 32, .tid = (u32)id};
	struct goroutine room = {};
	u64 sk;

	if (!g || !(g->flags & T_ROUNDTRIP))
		return 0;
	sk = connection_of(g, ctx->r[CTX_GO_ARG0]);
	if (!sk)
		return 0;
	w.now = bpf_ktime_get_ns();
	read_goroutine(g, &w, true, &room);
	tie_up(g, &w, sk);
	return 0;
}

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

// connection_of follows persistConn.conn (*net.TCPConn) to its socket; 0 where
// the connection is something else, such as TLS.
inline_ u64 connection_of(struct target *g, u64 pconn)
{
	u64 tcp = 0, netfd = 0;
	u64 kind[2] = {}; // family, sotype
	u32 fd = 0;

	if (bpf_probe_read_user(&tcp, 8, (void *)(pconn + g->pconn_off + 8)) ||
	    bpf_probe_read_user(&netfd, 8, (void *)tcp) ||
	    bpf_probe_read_user(kind, sizeof(kind), (void *)(netfd + g->family_off)) ||
	    bpf_probe_read_user(&fd, 4, (void *)(netfd + g->sysfd_off)))
		return 0;
	if ((kind[0] != AF_INET && kind[0] != AF_INET6) || kind[1] != SOCK_STREAM)
		return 0;
	return socket_of(fd);
}

SEC("uprobe.multi")
int odi_roundtrip(struct raw_regs *ctx)
{
	struct target *g = current_target();
	u64 id = bpf_get_current_pid_tgid();
	struct who w = {.tgid = id >> 32, .tid = (u32)id};
	struct tie tie = {};
	u64 sk;

	if (!g || !(g->flags & T_ROUNDTRIP))
		return 0;
	sk = connection_of(g, ctx->r[CTX_GO_ARG0]);
	if (!sk)
		return 0;
	w.now = bpf_ktime_get_ns();
	read_goroutine(g, &w, true);
	if (!goroutine_parent(g, &w, &tie.parent))
		tie.parent.span = 0;
	tie.goid = w.goid;
	if (bpf_map_update_elem(&go_ties, &sk, &tie, BPF_ANY))
		count(DROP_TABLE_FULL);
	return 0;
}

// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Which socket a net.Conn of Go's is on.
#pragma once

#include "../include/maps.h"

// socket_of returns the address of the struct sock behind a file descriptor. The table is
// the kernel's own, whose types the verifier knows: no call is needed to read it.
inline_ u64 socket_of(u32 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct fdtable *table = task->files->fdt;
	struct file **files, *file = 0;
	struct socket *sock;

	if (fd >= table->max_fds)
		return 0;
	files = table->fd;
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

// socket_in returns the socket of a net.Conn, given its data. Types of a program's own
// mostly begin with the connection that they wrap, as a pointer or a net.Conn, or have one
// word before it. 0: it has none, or another one.
noinline_ u64 socket_in(struct target *g, u64 conn)
{
	u64 begin[3] = {}, sk;

	if (!g)
		return 0;
	sk = tcp_socket(g, conn);
	if (sk || bpf_probe_read_user(begin, sizeof(begin), (void *)conn))
		return sk;
	sk = tcp_socket(g, begin[1]);
	if (!sk)
		sk = tcp_socket(g, begin[0]);
	if (!sk)
		sk = tcp_socket(g, begin[2]);
	return sk;
}

// socket_below_tls returns the socket below a tls.Conn, which begins with the net.Conn that
// it encrypts for.
inline_ u64 socket_below_tls(struct target *g, u64 conn)
{
	u64 below[2] = {}; // its type and data

	if (bpf_probe_read_user(below, sizeof(below), (void *)conn))
		return 0;
	return socket_in(g, below[1]);
}

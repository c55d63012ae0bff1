// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Lists the socket maps of the machine whose programs see what connections carry. A socket
// has one program of a kind: whoever comes second is refused it (sock_map_link in
// net/core/sock_map.c), so odi steps aside where there is one of somebody else's.
//
// Hook: iter/bpf_map, over all maps of the machine. Needs no more rights than the rest.
#pragma once

#include "../include/kernel.h"

#define NAME_LEN 16

struct bpf_map {
	enum bpf_map_type map_type;
	u32 id;
	char name[16];
} co_re;

struct bpf_prog_aux {
	char name[16];
} co_re;

struct bpf_prog {
	struct bpf_prog_aux *aux;
} co_re;

// The programs of a socket map.
struct sk_psock_progs {
	struct bpf_prog *msg_parser;
	struct bpf_prog *stream_parser;
	struct bpf_prog *stream_verdict;
	struct bpf_prog *skb_verdict;
} co_re;

struct bpf_stab {
	struct sk_psock_progs progs;
} co_re;

struct bpf_shtab {
	struct sk_psock_progs progs;
} co_re;

struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
} co_re;

// socket_map is a map with such a program, by the names that its owner gave them.
struct socket_map {
	u32 id;
	char map[NAME_LEN];
	char program[NAME_LEN];
};

inline_ struct bpf_prog *first_of(struct sk_psock_progs *progs)
{
	struct bpf_prog *p = BPF_CORE_READ(progs, msg_parser);

	if (!p)
		p = BPF_CORE_READ(progs, stream_verdict);
	if (!p)
		p = BPF_CORE_READ(progs, stream_parser);
	if (!p && bpf_core_field_exists(progs->skb_verdict))
		p = BPF_CORE_READ(progs, skb_verdict);
	return p;
}

SEC("iter/bpf_map")
int odi_socket_maps(struct bpf_iter__bpf_map *ctx)
{
	struct bpf_map *map = ctx->map;
	struct sk_psock_progs *progs;
	struct bpf_prog *program;
	struct socket_map o = {};

	if (!map)
		return 0;
	if (map->map_type == BPF_MAP_TYPE_SOCKHASH)
		progs = __builtin_preserve_access_index(&((struct bpf_shtab *)map)->progs);
	else if (map->map_type == BPF_MAP_TYPE_SOCKMAP)
		progs = __builtin_preserve_access_index(&((struct bpf_stab *)map)->progs);
	else
		return 0;
	program = first_of(progs);
	if (!program)
		return 0;
	bpf_probe_read_kernel_str(o.program, sizeof(o.program), BPF_CORE_READ(program, aux, name));
	o.id = map->id;
	bpf_probe_read_kernel_str(o.map, sizeof(o.map), map->name);
	bpf_seq_write(ctx->meta->seq, &o, sizeof(o));
	return 0;
}

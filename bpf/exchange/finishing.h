// SPDX-License-Identifier: (MIT OR GPL-2.0)
// What is kept of a request for the links of others ends with it.
#pragma once

#include "../include/link.h"

// settled tells that a request of a proxy does not wait any more.
inline_ void settled(struct target *g, u64 span)
{
	struct open_request *o = g && g->flags & T_BATCHES ? open_request_of(span) : 0;

	if (o)
		settle(g, o);
}

// less_open counts down the open requests.
inline_ void less_open(struct target *g, struct request *r)
{
	if (r->role == ROLE_SERVER && g)
		less(&g->open);
}

// let_go ends what is kept of a request of a process for the links of others.
inline_ void let_go(u32 tgid, struct target *g, struct who *w, struct request *r)
{
	u64 span = r->span;

	if (r->role == ROLE_SERVER) {
		settled(g, span);
		if (!g || !(g->flags & T_GO))
			bpf_map_delete_elem(&open_requests, &span);
		if (g)
			served(g, w, span, r->goid, tgid, r->tid);
	}
}

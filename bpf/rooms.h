// SPDX-License-Identifier: (MIT OR GPL-2.0)
// Code generated from protocols/protocols.go by go generate. DO NOT EDIT.
#pragma once

#include "exchange/beginning.h"
#include "redis/redis.h"
#include "mysql/mysql.h"
#include "postgres/postgres.h"
#include "http2/http2.h"
#include "kafka/kafka.h"
#include "dns/dns.h"
#include "handshake/handshake.h"

#define ROOMS 9 // more than the largest code

// The programs on the two tracepoints go on with those of a room, by its code.
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, ROOMS);
	__type(key, u32);
	__type(value, u32);
} sent_rooms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, ROOMS);
	__type(key, u32);
	__type(value, u32);
} received_rooms SEC(".maps");

// odi_message goes on with those of rooms that write headers.
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, ROOMS);
	__type(key, u32);
	__type(value, u32);
} message_rooms SEC(".maps");

// room_of returns the room whose protocol begins so, 0 if there is none.
inline_ u32 room_of(struct beginning *b)
{
	b->by = redis_begins(b);
	if (b->by)
		return PROTOCOL_REDIS;
	b->by = mysql_begins(b);
	if (b->by)
		return PROTOCOL_MYSQL;
	b->by = postgres_begins(b);
	if (b->by)
		return PROTOCOL_POSTGRES;
	b->by = http2_begins(b);
	if (b->by)
		return PROTOCOL_HTTP2;
	b->by = kafka_begins(b);
	if (b->by)
		return PROTOCOL_KAFKA;
	b->by = dns_begins(b);
	if (b->by)
		return PROTOCOL_DNS;
	b->by = handshake_begins(b);
	if (b->by)
		return PROTOCOL_HANDSHAKE;
	return 0;
}

// room_closing tells a room that its connection has ended.
inline_ void room_closing(struct conn *c, struct sock *sk, u32 fault)
{
	switch (c->protocol) {
	case PROTOCOL_REDIS:
		redis_closed(sk, fault);
		break;
	case PROTOCOL_MYSQL:
		mysql_closed(sk, fault);
		break;
	case PROTOCOL_POSTGRES:
		postgres_closed(sk, fault);
		break;
	case PROTOCOL_HTTP2:
		http2_closed(sk, fault);
		break;
	case PROTOCOL_KAFKA:
		kafka_closed(sk, fault);
		break;
	case PROTOCOL_DNS:
		dns_closed(sk, fault);
		break;
	case PROTOCOL_HANDSHAKE:
		handshake_closed(sk, fault);
		break;
	}
}

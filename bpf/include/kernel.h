// SPDX-License-Identifier: (MIT OR GPL-2.0)
// The kernel's types, cut down to the fields that the engine reads. Offsets are
// relocated at load time (CO-RE), so this file depends on no kernel build.
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#define noinline_ __attribute__((noinline))
#define inline_ static __always_inline
// Verified with each caller, so that it can be given a socket; its stack is its own.
#define apart_ static __attribute__((noinline))
// Verifiers before 6.8 or so refuse loops whose body comes before their test.
#define UNROLLED _Pragma("unroll")
#define co_re __attribute__((preserve_access_index))

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef u8 bool;
#define true 1
#define false 0

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_MPTCP 262
#define EPIPE 32
#define ENETUNREACH 101
#define ECONNABORTED 103
#define ECONNRESET 104
#define ETIMEDOUT 110
#define ECONNREFUSED 111
#define EHOSTUNREACH 113
#define MSG_PEEK 0x2
#define MSG_TRUNC 0x20
#define MSG_DONTWAIT 0x40
#define MSG_ERRQUEUE 0x2000
#define CLONE_THREAD 0x00010000
#define FIONREAD 0x541B
#define RCV_SHUTDOWN 1
#define SHUTDOWN_MASK 3
#define SOCK_DONE_BIT 1 // of skc_flags: the peer has sent its last byte
#define EAGAIN 11
#define S_IFMT 0170000
#define S_IFSOCK 0140000

// COMM8 is the beginning of a thread's name.
#define COMM8(a, b, c, d, e, f, g, h)                                                     \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 |      \
	 (u64)(f) << 40 | (u64)(g) << 48 | (u64)(h) << 56)

struct in6_addr_ {
	u8 b[16];
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	u16 skc_num;
	u16 skc_family;
	u8 skc_state;
	unsigned long skc_flags;
	struct in6_addr_ skc_v6_daddr;
	struct in6_addr_ skc_v6_rcv_saddr;
} co_re;

struct sk_buff_head {
	u32 qlen;
} co_re;

typedef struct {
	int owned;
} co_re socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	u16 sk_type;
	u16 sk_protocol;
	u8 sk_shutdown;
	int sk_err;
	int sk_sndbuf;
	u32 sk_max_ack_backlog;
	int sk_write_pending;
	int sk_wmem_queued;
	socket_lock_t sk_lock;
	struct sk_buff_head sk_receive_queue;
	void *sk_user_data;
	struct socket *sk_socket;
} co_re;

struct unix_sock {
	struct sock *peer;
} co_re;

struct inet_connection_sock {
	void *icsk_ulp_ops;
} co_re;

struct tcp_sock {
	u32 copied_seq;
	u32 rcv_nxt;
	u32 write_seq;
	u32 mss_cache;
	u32 snd_una;
	u64 bytes_received;
	u64 bytes_sent;
	u64 bytes_acked;
	u32 total_retrans;
	u32 srtt_us;
} co_re;

struct list_head {
	struct list_head *next;
} co_re;

// What a socket map adds to a socket: the queues behind its verdict program.
struct sk_psock {
	struct list_head ingress_msg;
	struct sk_buff_head ingress_skb;
} co_re;

struct seq_file;
struct task_struct;

struct bpf_iter_meta {
	struct seq_file *seq;
} co_re;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} co_re;

struct bpf_map;

struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	struct sock *sk;
	void *value;
} co_re;

struct bpf_iter__sockmap {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	struct sock *sk;
} co_re;

struct socket {
	unsigned long flags;
	struct sock *sk;
	struct file *file;
} co_re;

struct inode {
	u16 i_mode;
} co_re;

struct qstr {
	const unsigned char *name;
} co_re;

struct dentry {
	struct qstr d_name;
} co_re;

struct path {
	struct dentry *dentry;
} co_re;

struct file {
	void *private_data;
	struct inode *f_inode;
	struct path f_path;
	unsigned int f_flags;
	void *f_ep; // the epoll instances that it is registered with
} co_re;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
} co_re;

enum cgroup_subsys_id { memory_cgrp_id = 1, pids_cgrp_id };

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} co_re;

struct files_struct {
	struct fdtable *fdt;
} co_re;

typedef struct {
	int counter;
} atomic_t_;

struct sigaction {
	void *sa_handler; // 0: as by default, 1: ignored
} co_re;

struct k_sigaction {
	struct sigaction sa;
} co_re;

struct sighand_struct {
	struct k_sigaction action[64];
} co_re;

struct signal_struct {
	atomic_t_ live;
} co_re;

struct mm_struct {
	unsigned long arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
} co_re;

struct ns_common {
	unsigned int inum;
} co_re;

struct pid_namespace {
	struct ns_common ns;
} co_re;

struct upid {
	int nr;
	struct pid_namespace *ns;
} co_re;

struct pid {
	unsigned int level;
	struct upid numbers[1]; // of level + 1 namespaces, the root's first
} co_re;

struct kernfs_node {
	u64 id;
	struct kernfs_node *parent;
	const char *name;
} co_re;

// Since Linux 6.15 or so.
struct kernfs_node___rcu {
	struct kernfs_node *__parent;
} co_re;

struct cgroup {
	struct kernfs_node *kn;
} co_re;

struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
} co_re;

#if defined(__TARGET_ARCH_x86)
struct thread_struct {
	unsigned long fsbase;
} co_re;

struct pt_regs {
	unsigned long di, si, dx, r10, r8, r9, orig_ax, sp;
} co_re;
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	u64 regs[31];
	u64 sp;
	u64 orig_x0;
	int syscallno;
} co_re;
#endif

struct sched_entity {
	u64 sum_exec_runtime;
} co_re;

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
	u64 start_boottime;
	unsigned long nvcsw;
	struct sched_entity se;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct mm_struct *mm;
	struct css_set *cgroups;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	struct files_struct *files;
#if defined(__TARGET_ARCH_x86)
	struct thread_struct thread;
#endif
} co_re;

// struct pt_regs as uprobes get it, by position: no BTF of user space describes it.
struct raw_regs {
#if defined(__TARGET_ARCH_x86)
	u64 r[21];
#else
	u64 r[34];
#endif
};

#if defined(__TARGET_ARCH_x86)
#define CTX_GO_ARG0 10 // rax
#define CTX_GO_ARG1 5  // rbx
#define CTX_GO_ARG2 11 // rcx
#define CTX_GO_ARG3 14 // rdi
#define CTX_GO_G 1     // r14: the goroutine
#define CTX_SP 19
#define CTX_ARG0 14    // rdi
#define CTX_ARG1 13    // rsi
#define CTX_ARG3 11    // rcx
#define CTX_ARG4 9     // r8
#define CTX_RET 10     // rax
#else
#define CTX_GO_ARG0 0
#define CTX_GO_ARG1 1
#define CTX_GO_ARG2 2
#define CTX_GO_ARG3 3
#define CTX_GO_G 28
#define CTX_SP 31
#define CTX_ARG0 0
#define CTX_ARG1 1
#define CTX_ARG3 3
#define CTX_ARG4 4
#define CTX_RET 0
#endif

struct iovec_ {
	u64 base;
	u64 len;
};

// struct user_msghdr up to the iovec; the same on every 64-bit architecture.
struct msghdr_ {
	u64 name;
	u32 namelen, _pad;
	u64 iov;
	u64 iovlen;
};

#if defined(__TARGET_ARCH_x86)
#define NR_read 0
#define NR_write 1
#define NR_readv 19
#define NR_writev 20
#define NR_sendfile 40
#define NR_sendto 44
#define NR_recvfrom 45
#define NR_connect 42
#define NR_sendmsg 46
#define NR_recvmsg 47
#define NR_sendmmsg 307
inline_ u64 reg_nr(struct pt_regs *r) { return r->orig_ax; }
inline_ u64 reg_arg1(struct pt_regs *r) { return r->di; }
inline_ u64 reg_arg2(struct pt_regs *r) { return r->si; }
inline_ u64 reg_arg3(struct pt_regs *r) { return r->dx; }
inline_ u64 reg_arg5(struct pt_regs *r) { return r->r8; }
#elif defined(__TARGET_ARCH_arm64)
#define NR_read 63
#define NR_write 64
#define NR_readv 65
#define NR_writev 66
#define NR_sendfile 71
#define NR_sendto 206
#define NR_recvfrom 207
#define NR_connect 203
#define NR_sendmsg 211
#define NR_recvmsg 212
#define NR_sendmmsg 269
inline_ u64 reg_nr(struct pt_regs *r) { return (u32)r->syscallno; }
inline_ u64 reg_arg1(struct pt_regs *r) { return r->orig_x0; }
inline_ u64 reg_arg2(struct pt_regs *r) { return r->regs[1]; }
inline_ u64 reg_arg3(struct pt_regs *r) { return r->regs[2]; }
inline_ u64 reg_arg5(struct pt_regs *r) { return r->regs[4]; }
#endif

// Kernel states of a TCP socket (include/net/tcp_states.h).
enum { ST_ESTABLISHED = 1, ST_SYN_SENT = 2, ST_FIN_WAIT1 = 4, ST_FIN_WAIT2 = 5, ST_TIME_WAIT = 6, ST_CLOSE = 7, ST_CLOSE_WAIT = 8, ST_LAST_ACK = 9, ST_CLOSING = 11 };

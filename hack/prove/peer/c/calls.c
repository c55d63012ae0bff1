// SPDX-License-Identifier: Apache-2.0
// Sends and receives with the system calls that a script names.
#include "peer.h"

static int send_flags(struct player *p, uint32_t how, int last)
{
	return MSG_NOSIGNAL | (p->nowait ? MSG_DONTWAIT : 0) | ((how == MORE && !last) || p->cork ? MSG_MORE : 0);
}

static ssize_t send_piece(struct player *p, uint32_t how, uint32_t n, int flags)
{
	off_t off = p->sent;
	if (how == WHOLE_FILE) {
		if (!p->file) {
			p->file = memfd_create("body", MFD_CLOEXEC);
			for (uint32_t done = 0; done < p->s->out_len;) {
				ssize_t k = write(p->file, p->s->out + done, p->s->out_len - done);
				if (k <= 0)
					die("memory file");
				done += k;
			}
		}
		return sendfile(p->fd, p->file, &off, n);
	}
	if (how == PLAIN && !p->nowait && !p->cork)
		return write(p->fd, p->s->out + p->sent, n);
	return sendto(p->fd, p->s->out + p->sent, n, flags, 0, 0);
}

// send_pieces sends as many of the sizes in one call as it takes.
static ssize_t send_pieces(struct player *p, uint32_t how, const uint32_t *sizes, uint32_t count)
{
	struct iovec v[VECTORS];
	struct mmsghdr many[64] = {};
	uint32_t at = p->sent;
	ssize_t total = 0;
	int sent;
	for (uint32_t i = 0; i < count; i++) {
		v[i].iov_base = (void *)(p->s->out + at);
		v[i].iov_len = sizes[i];
		at += sizes[i];
	}
	struct msghdr m = {.msg_iov = v, .msg_iovlen = count};
	if (how == VECTOR && !p->nowait)
		return writev(p->fd, v, count);
	if (how != MANY)
		return sendmsg(p->fd, &m, send_flags(p, how, 1));
	if (count > 64)
		count = 64;
	for (uint32_t i = 0; i < count; i++) {
		many[i].msg_hdr.msg_iov = &v[i];
		many[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(p->fd, many, count, send_flags(p, how, 1));
	if (sent < 0)
		return -1;
	for (int i = 0; i < sent; i++) {
		total += many[i].msg_len;
		if (many[i].msg_len < v[i].iov_len)
			break;
	}
	return total;
}

// after keeps the books of a send call; where there is no room it waits for some.
static int after(struct player *p, struct stamp s, ssize_t n)
{
	struct pollfd f = {.fd = p->fd, .events = POLLOUT};
	if (n >= 0) {
		p->sent += n;
		end(p, s, 0, p->sent);
		return 0;
	}
	if (errno == EINTR)
		return 0;
	if (errno == EAGAIN && p->nowait && poll(&f, 1, PATIENCE * 1000) > 0)
		return 0;
	return fault(p, "sending byte %u: %s", p->sent, strerror(errno));
}

int send_step(struct player *p, struct op *o)
{
	uint32_t last = p->sent + o->n, i = 0;
	if (o->how == PLAIN || o->how == SOCKET || o->how == MORE || o->how == WHOLE_FILE) {
		for (; i < o->count; i++) {
			for (uint32_t to = p->sent + o->sizes[i]; p->sent < to;) {
				struct stamp s = begin(p);
				if (after(p, s, send_piece(p, o->how, to - p->sent, send_flags(p, o->how, to == last))))
					return -1;
			}
		}
		return 0;
	}
	while (p->sent < last) {
		uint32_t used = 0, at = p->sent, rest = last - p->sent;
		struct stamp s = begin(p);
		ssize_t n;
		while (i + used < o->count && used < VECTORS && at + o->sizes[i + used] <= last)
			at += o->sizes[i + used++];
		n = used ? send_pieces(p, o->how, o->sizes + i, used) : send_pieces(p, o->how, &rest, 1);
		i = used ? i + used : o->count;
		if (after(p, s, n))
			return -1;
	}
	return 0;
}

static ssize_t read_once(struct player *p, uint32_t how, uint32_t size)
{
	struct iovec v[16];
	int count = 0;
	uint32_t at = 0;
	ssize_t n;
	for (uint32_t k = 7; size - at > k; k *= 3) {
		v[count++] = (struct iovec){p->buffer + at, k};
		at += k;
	}
	v[count++] = (struct iovec){p->buffer + at, size - at};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = count};
	switch (how) {
	case VECTOR:
	case MANY:
		return readv(p->fd, v, count);
	case MESSAGE:
		return recvmsg(p->fd, &m, 0);
	case SOCKET:
	case MORE:
		return recvfrom(p->fd, p->buffer, size, 0, 0, 0);
	case WHOLE_FILE:
		n = recvfrom(p->fd, p->buffer, size, MSG_PEEK, 0, 0);
		return n <= 0 ? n : read(p->fd, p->buffer, n);
	}
	return read(p->fd, p->buffer, size);
}

int recv_step(struct player *p, struct op *o)
{
	int64_t since = now();
	for (uint32_t i = 0; p->at < o->n; i++) {
		struct stamp s = begin(p);
		ssize_t n = read_once(p, o->how, o->sizes[i % o->count]);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && now() - since < PATIENCE / 2 * 1000000000LL) {
			p->odd = "a call that waits said EAGAIN";
			continue;
		}
		if (n < 0)
			return fault(p, "reading byte %u: %s", p->at, strerror(errno));
		if (!n)
			return fault(p, "the connection ended before byte %u of %u", p->at, o->n);
		if (feed(p, p->buffer, n))
			return -1;
		end(p, s, 1, p->at);
	}
	return 0;
}

// said_again notes that a call that waits said EAGAIN, and the next one error.
static void said_again(struct player *p, int error)
{
	if (!p->odd && error == ECONNRESET)
		p->odd = "a reset said EAGAIN first to a call that waited"; // script.ResetSaysAgain
	else
		p->odd = "a call that waits said EAGAIN";
}

int recv_end(struct player *p)
{
	int64_t since = now();
	int again = 0;
	for (;;) {
		struct stamp s = begin(p);
		ssize_t n = read(p->fd, p->buffer, 1 << 16);
		int error = n < 0 ? errno : 0;
		if (error == EINTR)
			continue;
		if (error == EAGAIN) {
			if (now() - since > PATIENCE / 2 * 1000000000LL)
				return fault(p, "the connection does not end");
			again = 1;
			continue;
		}
		if (again)
			said_again(p, error);
		again = 0;
		if (n > 0) {
			if (feed(p, p->buffer, n))
				return -1;
			end(p, s, 1, p->at);
			continue;
		}
		end(p, s, 1, AT_END); // it may still say something
		return 0;
	}
}

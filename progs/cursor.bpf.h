/* SPDX-License-Identifier: GPL-2.0-only */
/* cursor.bpf.h - read packet headers one after another, never past the end. */
#ifndef LB_CURSOR_BPF_H
#define LB_CURSOR_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* The largest offsets that lb_parse leaves in lb_pkt, as masks. */
#define L3_LIMIT 0x3f
#define L4_LIMIT 0x3fff

struct cursor {
	void *pos;
	void *end;
};

/* All of a packet, whichever context it is the packet of: tc's has the same fields. */
#define cursor_init(ctx)                                                                 \
	((struct cursor){                                                                \
		.pos = (void *)(long)(ctx)->data,                                        \
		.end = (void *)(long)(ctx)->data_end,                                    \
	})

/*
 * Step over @len bytes: where they began, or NULL if the packet ends first.  @len is a
 * constant or has a small bound that the verifier can see.
 */
static __always_inline void *cursor_skip(struct cursor *c, __u64 len)
{
	void *pos = c->pos;

	if (pos + len > c->end)
		return NULL;
	__builtin_assume(pos != NULL); /* or the caller's look at it is done */

	c->pos = pos + len;
	return pos;
}

/* Step over one @type: a pointer to it, or NULL. */
#define cursor_take(c, type) ((type *)cursor_skip(c, sizeof(type)))

/*
 * The @type at @offset from the start of the packet, or NULL if it does not fit.
 * @offset is at most @limit, a constant 2^n - 1 that the verifier is shown: clang must
 * not drop the mask although the offset came from a 16-bit field (clang 14, kernel 6.1).
 */
static __always_inline void *packet_at(const struct xdp_md *ctx, __u64 offset,
				       __u64 limit, __u64 size)
{
	void *pos = (void *)(long)ctx->data;

	if (!__builtin_constant_p(offset))
		asm volatile("%0 &= %1" : "+r"(offset) : "i"(limit));
	pos += offset;
	/* volatile: or clang 14 keeps half of what is a pointer once loaded. */
	if (pos + size > (void *)(long)*(const volatile __u32 *)&ctx->data_end)
		return NULL;
	__builtin_assume(pos != NULL);
	return pos;
}

#endif /* LB_CURSOR_BPF_H */

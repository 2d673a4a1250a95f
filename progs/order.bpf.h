/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * order.bpf.h - the few guarantees about the order of loads and stores that we need.
 *
 * x86 keeps loads in order and stores in order (TSO), so only the compiler must be held.
 * BPF has no barriers before 6.17; elsewhere an atomic operation that returns a value is
 * a full one (Documentation/bpf/standardization, "Atomic operations"; arm64's JIT emits
 * the _AL forms), and a load is ordered after another by making its address depend on
 * that one's value.
 */
#ifndef LB_ORDER_BPF_H
#define LB_ORDER_BPF_H

#include <linux/types.h>

#define READ_ONCE(x)	     (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))
#define barrier()	     asm volatile("" ::: "memory")

#ifdef __TARGET_ARCH_x86

/* @p, for loads that must come after the one that gave @value. */
#define load_after(p, value)                                                             \
	({                                                                               \
		barrier();                                                               \
		(void)(value);                                                           \
		(p);                                                                     \
	})

/* All stores before come before all stores after; @word is one we own. */
#define store_barrier(word) barrier()

#else

#define load_after(p, value)                                                             \
	({                                                                               \
		__u64 __zero = (value);                                                  \
		asm volatile("%0 &= 0" : "+r"(__zero) : : "memory");                     \
		(typeof(p))((void *)(p) + __zero);                                       \
	})

#define store_barrier(word)                                                              \
	({                                                                               \
		__u32 __old = __sync_fetch_and_add((word), 0);                           \
		asm volatile("" : : "r"(__old) : "memory");                              \
	})

#endif

#endif /* LB_ORDER_BPF_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * records.bpf.h - what lbctl has configured, as global data.
 *
 * The address of global data is known when a program is loaded, so to reach a record takes
 * three instructions and no branch, where a lookup in a map takes ten, a store and a load of
 * the key, and a check: 2 ns each, and a known flow reaches ten of them.
 *
 * A stage has no other variables that begin with zeros: its .bss is the instance's map
 * lb_records.
 */
#ifndef LB_RECORDS_BPF_H
#define LB_RECORDS_BPF_H

#include <stddef.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <lb/abi.h>

#ifdef LB_RECORDS_LOOKED_UP /* a policy, whose variables are its writer's */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lb_records);
} lb_records SEC(".maps");

static __always_inline struct lb_records *records(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&lb_records, &zero);
}

#else

struct lb_records lb_records;

static __always_inline struct lb_records *records(void)
{
	return &lb_records;
}

#endif

/*
 * @index below @n, a constant 2^k, as the verifier must see it: clang must not drop the mask.
 * One that is not below it is another record's, so whoever cannot trust it checks it first.
 */
#define LB_BELOW(n, index)                                                               \
	({                                                                               \
		__u64 __index = (index);                                                 \
                                                                                         \
		asm volatile("%0 &= %1" : "+r"(__index) : "i"((n)-1));                   \
		__index;                                                                 \
	})

/*
 * @p, as something that clang knows nothing about: else it reaches each field from the start of
 * lb_records, whose offsets no instruction can hold, by three more instructions.
 */
#define LB_OPAQUE(p)                                                                     \
	({                                                                               \
		typeof(p) __p = (p);                                                     \
                                                                                         \
		asm("" : "+r"(__p));                                                     \
		__p;                                                                     \
	})

#endif /* LB_RECORDS_BPF_H */

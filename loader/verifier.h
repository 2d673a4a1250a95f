/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verifier.h - what the kernel's verifier says of a program that it refuses.
 */
#ifndef LB_VERIFIER_H
#define LB_VERIFIER_H

#include <bpf/libbpf.h>

struct verifier_log {
	struct bpf_object *obj;
	char *text; /* NULL: no memory for it */
};

#define VERDICT_TEXT_SIZE 160

/* Before @obj is loaded. */
void verifier_listen(struct verifier_log *log, struct bpf_object *obj);
/* After it was not: the last lines with -v; @ret: why, or "" if it was not the verifier. */
void verifier_verdict(struct verifier_log *log, char ret[VERDICT_TEXT_SIZE]);
void verifier_close(struct verifier_log *log);

#endif /* LB_VERIFIER_H */

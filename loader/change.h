/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * change.h - one or many commands become one change of the kernel's state, or none.
 */
#ifndef LB_CHANGE_H
#define LB_CHANGE_H

#include "attach.h"
#include "command.h"
#include "script.h"

struct device_wish {
	const char *name;
	struct attach_options options;
};

/* What the commands want; they report and return, and change nothing else. */
struct change {
	const struct lbctl *lbctl;
	struct state *state; /* NULL: dry run without an instance */
	struct model *to;    /* what shall be; commands work on it */
	bool is_script;	     /* several commands: none may wait */
	bool is_whole;	     /* apply: what no line names goes */
	bool force;
	bool is_aside; /* on a private copy, which has no interfaces and no log */
	bool is_blind; /* ... so which policies there will be is not known */

	__u32 flows; /* 0: not said */
	struct device_wish attach[LB_MAX_DEVICES];
	size_t n_attach;
	const char *detach[LB_MAX_DEVICES];
	size_t n_detach;
	bool detach_all;

	struct policy_load loads[LB_MAX_POLICIES]; /* of `policy load` in a file */
	size_t n_loads;

	__u64 wait_ms; /* for the flows of `waits`, after the change */
	bool wait_then_del;
	const char *wait_service, *wait_backend; /* as the user wrote them */
};

enum outcome change_one(const struct lbctl *l, const struct command *command,
			struct words *w);

struct change_options {
	bool is_whole;
	bool dry_run;
	bool force;
};

enum outcome change_script(const struct lbctl *l, struct script *s,
			   const struct change_options *o);

/* Make a private copy of an instance what the file says, but for interfaces. */
enum outcome change_aside(const struct lbctl *l, struct state *copy, struct script *s);

/* Of a whole file (whole.c): ids and so flows and counters of what it names again; and it must
 * not end flows unasked.  Both report. */
enum outcome whole_recognize(struct model *to, const struct model *from);
enum outcome whole_check_removed(const struct change *c, const struct model *from);

/* Take [KEYWORD VALUE]... of a service (service_options.c); reports. */
enum outcome service_options(struct change *c, struct words *w, struct model_service *s);

/* As find_policy(); a blind change takes every name.  Reports. */
enum outcome change_find_policy(struct change *c, const char *name, int *ret_slot);

/*
 * Do a user's words for a backend name @b of @s?  @port is 0 if none was said: then it is
 * that of the service, or, if all services are meant (@all), the host with all its ports.
 */
bool backend_is_meant(const struct model_service *s, const struct model_backend *b,
		      const struct address *address, __u16 port, bool all);

/* Load what the commands want (policy.c); reports. */
enum outcome policy_load_all(struct change *c);
/* The first @n of them; those that there were before are not brought back. */
void policy_load_undo(struct change *c, size_t n);

/* After a change with wait_ms (backend_wait.c); the lock is free meanwhile. */
enum outcome backend_wait(const struct change *c);

#endif /* LB_CHANGE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * state.h - an instance's pinned maps: opened, locked, read into a model, changed.
 *
 * Pins: DIR/NAME/{maps,progs}/..., DIR is /sys/fs/bpf/switchyard, NAME is the instance,
 * "default" unless -i says another; --pin-dir names the instance's folder itself.
 * Writers hold an exclusive flock on that folder; it dies with its holder.
 *
 * The records (services, backends, profiles, default policy) are the truth; endpoint
 * tables and selection tables are made of them.  A change sets lb_config.dirty,
 * writes the records in an order in which every state between forwards correctly,
 * makes what follows from them, and clears it.  Whoever takes the lock and finds
 * dirty set makes everything anew first: so kill -9 costs nothing.
 *
 * Functions return 0 or -errno after having reported nothing, unless they say
 * "reports": then they have printed the one line.
 */
#ifndef LB_STATE_H
#define LB_STATE_H

#include <lb/abi.h>
#include "model.h"

enum state_access { STATE_READ, STATE_WRITE };

struct state {
	char dir[256]; /* the instance's folder in bpffs */
	enum state_access access;
	int lock_fd;		  /* -1: not locked */
	struct lb_config *config; /* mmaps; valid while open */
	struct lb_records *records;
	struct lb_service *services; /* [LB_MAX_SERVICES], of records; so are */
	struct lb_backend *backends; /* [LB_MAX_BACKENDS] */
	struct lb_source *sources;   /* [LB_MAX_SOURCES]; 0 is none */
	struct lb_device *devices;
	struct lb_hop *hops;
	__u64 *live;
	struct lb_endpoint_bucket4 *endpoints4;
	struct lb_endpoint_bucket6 *endpoints6;
	struct lb_admission *admissions; /* [LB_MAX_BACKENDS] */
	struct lb_profile *profiles;
	struct lb_switches *switches;
	struct lb_policy_info *policies;
	const struct lb_bucket4 *flows4; /* mapped on demand: state_map_flows */
	const struct lb_bucket6 *flows6;
	int tables_fd, previous_fd; /* maps that cannot be mapped */
	int match_rules_fd;
	int prefixes4_fd, prefixes6_fd;
	int reasons_fd, events_fd;
	int service_counts_fd, backend_counts_fd;
	char objects[256]; /* where progs/ and policies/ are */
};

struct state_options {
	const char *instance; /* NULL: default */
	const char *pin_dir;  /* NULL: none */
	unsigned int wait_ms; /* for the lock, 5000 */
	const char *objects;  /* NULL: beside lbctl, or where it is installed */
};

/*
 * Open the instance.  Reports: bpffs not mounted, no capability (which), no such
 * instance (remedy: 'lbctl chain attach DEV'), another ABI, a foreign or missing pin,
 * locked by pid N.  With STATE_WRITE repairs first if the last writer died.
 */
int state_open(struct state *s, const struct state_options *o, enum state_access access);
void state_close(struct state *s);

/* Make the instance's maps, load stages and the shipped policies, pin all; reports.
 * Opens it for writing; the existing one if there is one. */
int state_create(struct state *s, const struct state_options *o, __u32 flows);
/* What its flow tables take, as a line for who has made it. */
void state_tell_memory(const struct state *s);
/* Remove all pins of the instance, which must be attached nowhere; reports. */
int state_destroy(struct state *s);

int state_read(const struct state *s, struct model *m);
/* Make the kernel's state what @to says; @from is what state_read gave.  Assigns ids
 * in @to.  Reports. */
int state_commit(struct state *s, const struct model *from, struct model *to);

int state_map_fd(const struct state *s, const char *name); /* caller closes; -errno */
int state_map_flows(struct state *s);
int state_clock(const struct state *s, struct lb_clock *ret_now);
/* 0: ended; -ENOENT: not that flow any more. */
int state_evict(const struct state *s, int family, __u32 position, __u32 version);

/* Sums over the CPUs. */
int state_service_count(const struct state *s, __u32 id, struct lb_count *ret);
int state_backend_count(const struct state *s, __u32 id, struct lb_count *ret);
int state_reasons(const struct state *s, struct lb_reason_count ret[LB_REASON_MAX]);
int state_events(const struct state *s, __u64 ret[LB_EVENT_MAX]);

struct gate;

/* A policy to be loaded. */
struct policy_load {
	const char *path;
	const char *name;  /* NULL: what the object says */
	bool replace;	   /* the one that has its name, whose slot it gets */
	bool force;	   /* whatever the gate says */
	bool known;	   /* the gate was asked before: its record says what it found */
	struct gate *gate; /* NULL: one is made for it */
	__u32 slot;	   /* out */
	char origin[256];  /* out: lb_policy_info.path */
	__u64 digest;	   /* out */
	bool renamed;	   /* out */
	bool is_new;	   /* of a file: there was none of that name */
};

/* Load a policy, if it keeps what it promises (gate.h); reports. */
int state_load_policy(struct state *s, struct policy_load *p);
/* What lb_policy_info would say of it: its meta, tunables, path and digest; reports.  @s is
 * NULL: there is no instance. */
int state_peek_policy(const struct state *s, struct policy_load *p,
		      struct lb_policy_info *ret);
/* Take away one that nobody uses. */
void state_withdraw_policy(struct state *s, __u32 slot);

#endif /* LB_STATE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model.h - the one tree that is the kernel's state, a parsed file and a wish.
 *
 * Every command is: read the kernel's state into a model (state_read), change a copy
 * of it (the command's own code, or all lines of a file), and have the difference
 * applied (state_commit).  So `apply FILE` and a single command share every check.
 */
#ifndef LB_MODEL_H
#define LB_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <lb/abi.h>

struct address {
	__u8 family;	/* 4 or 6; 0: none */
	__be32 word[4]; /* IPv6, or IPv4 in word 0 */
};

#define MODEL_POLICY	"round-robin" /* the default one of a new instance */
#define MODEL_PORT_LOW	1024	      /* below net.ipv4.ip_local_port_range */
#define MODEL_PORT_HIGH 32767
#define MODEL_GRACE_MS	(15 * 60 * 1000)

enum model_timeout {		   /* bits of lb_service.timeout_set */
		     TIMEOUT_IDLE, /* TCP established; UDP all three states */
		     TIMEOUT_HALF_OPEN,
		     TIMEOUT_CLOSING,
		     TIMEOUT_CLOSED,
		     TIMEOUT_MAX
};

struct model_backend {
	__u32 id;  /* 0: not in the kernel yet */
	__u32 ref; /* LB_BACKEND_REF in the kernel, or 0 */
	struct address address;
	__u16 port; /* host order; 0: the one that the client chose */
	__u32 weight;
	enum lb_backend_state state;
	__u32 priority;	 /* the lowest is the best */
	__u32 max_flows; /* 0: no limit */
	__u64 since;	 /* CLOCK_REALTIME, s */
};

/* What clients use: it tells a service from all others. */
struct service_name {
	struct address address;
	__u8 prefix;	 /* length; 32 or 128: one address */
	__u8 protocol;	 /* IPPROTO_* */
	__u16 port;	 /* host order; of a range, the first; of `any` and ICMP 0 */
	__u16 port_last; /* of a range; of `any` 65535; else as port */
};

/* Of policy match: which packets go to a backend (rules.h, <lb/match.h>). */
struct model_rule {
	__u16 low, high; /* length of the payload, both included */
	__u16 offset;	 /* in the payload, of the bytes that must be there */
	__u16 n_bytes;	 /* 0: any may */
	__u8 bytes[LB_MATCH_BYTES];
	struct address address; /* the backend's */
	__u16 port;		/* host order */
};

/* What is set for one service alone of what its policies let a user set (tunables.h). */
struct model_param {
	int policy; /* slot */
	__u32 key;  /* index in lb_policy_info.tunables */
	__u64 value;
};

/* Where tunnels come from; behind the prefix it is spread by flow. */
struct model_source {
	struct address address; /* family 0: not set */
	__u8 prefix;
};

struct model_service {
	int id;			/* -1: not in the kernel yet */
	struct address address; /* the five of struct service_name */
	__u8 prefix;
	__u16 port;
	__u16 port_last;
	__u8 protocol;
	enum lb_forward forward;
	int policy;		       /* slot, or -1: follows the default */
	__u32 timeout_set;	       /* bit per enum model_timeout */
	__u64 timeout_ms[TIMEOUT_MAX]; /* valid where the bit is set */
	__u16 port_low, port_high;     /* translated ports, both included */
	bool per_packet;	       /* persistence none */
	bool icmp_reply;
	enum lb_on_empty on_empty;
	enum lb_on_unknown on_unknown;
	__u64 grace_ms; /* 0: off; so the next two */
	__u64 slow_start_ms;
	__u64 client_ms;	       /* persistence client */
	__u32 mss;		       /* 0: off */
	struct model_source source[2]; /* `src`: of IPv4, of IPv6 */
	char comment[64];
	__u64 since;
	__u32 generation; /* of its table in the kernel */
	size_t n_backends;
	struct model_backend *backends; /* sorted by address, port */
	size_t n_rules;
	struct model_rule *rules; /* in the order in which they came */
	size_t n_params;
	struct model_param *params;
};

struct model_policy {
	struct lb_policy_info info;
	bool used;
	__u32 set;		      /* bit per tunable that is set for all services */
	__u64 value[LB_MAX_TUNABLES]; /* valid where the bit is set */
};

struct model {
	int default_policy; /* slot */
	size_t n_services;
	struct model_service *services; /* sorted by name, the address first */
	struct model_policy policies[LB_MAX_POLICIES];
};

void model_init(struct model *m);
/* A service as 'service add' makes it when no option is given; its name is empty. */
void model_init_service(struct model_service *s);
void model_set_name(struct model_service *s, const struct service_name *name);
struct service_name model_name(const struct model_service *s);
void model_init_backend(struct model_backend *b);
int model_copy(struct model *to, const struct model *from); /* -ENOMEM */
void model_free(struct model *m);

/* NULL if there is none. */
struct model_service *model_find_service(const struct model *m,
					 const struct service_name *name);
/* The service of @m that is named as @s of another model. */
struct model_service *model_find_same(const struct model *m,
				      const struct model_service *s);
struct model_backend *model_find_backend(const struct model_service *s,
					 const struct address *a, __u16 port);
/* Where a backend is, or where it belongs: the first that is not before it. */
size_t model_backend_place(const struct model_service *s, const struct address *a,
			   __u16 port);
/* The port of a backend of @s for which @said was said, which is 0 if none was. */
__u16 model_backend_port(const struct model_service *s, __u16 said);
/* One address and one port, or an ICMP service of one address. */
bool model_is_exact(const struct model_service *s);
/* -1 if there is none. */
int model_find_policy(const struct model *m, const char *name);

/* Insert in order; NULL: out of memory.  Pointers into the tree become invalid. */
struct model_service *model_add_service(struct model *m, const struct model_service *s);
struct model_backend *model_add_backend(struct model_service *s,
					const struct model_backend *b);
/* Give @to what @from has besides its name and its settings; the lists are shared, not copied. */
void model_take_rest(struct model_service *to, const struct model_service *from);

/* Of many in any order: put each last, then sort. */
struct model_service *model_append_service(struct model *m,
					   const struct model_service *s);
struct model_backend *model_append_backend(struct model_service *s,
					   const struct model_backend *b);
void model_sort_services(struct model *m);
void model_sort_backends(struct model_service *s);
/* Put last. */
struct model_rule *model_add_rule(struct model_service *s, const struct model_rule *r);
void model_del_service(struct model *m, struct model_service *s);
void model_del_backend(struct model_service *s, struct model_backend *b);
void model_del_rule(struct model_service *s, struct model_rule *r);

#endif /* LB_MODEL_H */

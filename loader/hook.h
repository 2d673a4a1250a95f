/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hook.h - what runs on an interface's XDP hook, and lb_entry among it.
 *
 * lb_entry is known by the map it calls through, not by what was written down: so an
 * attach or detach that was killed half-way is seen as it is.
 */
#ifndef LB_HOOK_H
#define LB_HOOK_H

#include <stdbool.h>
#include <bpf/libbpf.h>
#include <lb/abi.h>

#define HOOK_NAME_SIZE 32

struct hook {
	bool occupied; /* some program is attached */
	bool is_dispatcher;
	enum lb_attach_mode mode;
	char name[HOOK_NAME_SIZE]; /* of the attached program */
	__u32 program;		   /* kernel id of it */
	__u32 entry;		   /* kernel id of our lb_entry, 0: not there */
	__u32 entry_priority;	   /* with a dispatcher */
};

/* Look at the hook; @root is the id of the map lb_root.  0 or -errno. */
int hook_look(int ifindex, __u32 root, struct hook *ret);

/* Has an interface of this network namespace a program of this name, whosever it is? */
bool hook_entry_is_anywhere(void);

/*
 * Attach the program of @entry, an object that is open and not loaded, through the
 * dispatcher.  0, or -errno with nothing changed: -EOPNOTSUPP if libxdp fell back to a
 * single attach.
 */
int hook_attach_dispatcher(int ifindex, struct bpf_object *entry,
			   enum lb_attach_mode mode, __u32 priority);
/* Attach a loaded program as the only one; -EBUSY if there is another. */
int hook_attach_alone(int ifindex, int program_fd, enum lb_attach_mode mode);

/* A program of somebody else. */
struct hook_file {
	const char *path;
	const char *prog; /* NULL: the first one of the file */
	const char *maps; /* where maps are that it pins by name; NULL: libbpf's default */
	int priority;	  /* < 0: as it says itself */
};

/* Load it behind the dispatcher.  0, or -errno with nothing changed. */
int hook_load(int ifindex, enum lb_attach_mode mode, const struct hook_file *file,
	      __u32 *ret_id);

/* Is the program @id on the interface, as dispatcher, behind one, or alone? */
bool hook_has(int ifindex, __u32 id, char ret_name[HOOK_NAME_SIZE]);

/* Take hook->entry off, and leave the others. */
int hook_detach(int ifindex, const struct hook *hook);

#endif /* LB_HOOK_H */

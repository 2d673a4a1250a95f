/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * object.h - BPF objects over an instance's pinned maps.
 */
#ifndef LB_OBJECT_H
#define LB_OBJECT_H

#include <bpf/libbpf.h>
#include "state.h"

/* Find progs/ and policies/: s->objects, unless it is set; reports. */
int objects_locate(struct state *s);

/*
 * Open @path, give it lb_params, and each map whose name begins with lb_ the pinned one.
 * What is not pinned yet is made when the object is loaded.  Reports.
 */
int object_open(const struct state *s, const char *path, struct bpf_object **ret);
/*
 * Open @path for a trial: of the maps whose names begin with lb_ it has those of @with
 * (NULL: none), and all others are its own.  Nothing of the instance is touched.  Reports.
 */
int object_open_aside(const struct state *s, const char *path, struct bpf_object *with,
		      struct bpf_object **ret);
/* Open @path to look at it, not to load it.  Reports. */
int object_peek(const char *path, struct bpf_object **ret);
/* Load it; reports what the kernel refuses.  The caller closes it in any case. */
int object_load(struct bpf_object *obj, const char *path);
/* Pin the lb_ maps that it made. */
int object_pin_maps(const struct state *s, struct bpf_object *obj);

/*
 * The name by which @map is the instance's: its own, or that of the variable that is all of
 * a data section (.data.lb_switches, and lb_records of .bss).  NULL: it belongs to its object
 * alone.
 */
const char *object_map_name(const struct bpf_map *map);

/* The map of @obj that has this name of the instance's, or NULL. */
struct bpf_map *object_find_map(const struct bpf_object *obj, const char *name);

/* Its one XDP program, or NULL. */
struct bpf_program *object_xdp_program(struct bpf_object *obj);
/* The kernel's id of a program, or 0. */
__u32 program_id(int fd);

#endif /* LB_OBJECT_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * origin.c - where a policy's object is, and whether it is the one that was loaded.
 *
 * `save` names the file, and `apply` does not load what is there already.
 */
#include "origin.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* FNV-1a: it finds what was built anew, and need not stand up to anybody. */
#define DIGEST_START 0xcbf29ce484222325ULL
#define DIGEST_PRIME 0x100000001b3ULL

static int read_digest(const char *path, __u64 *ret)
{
	FILE *f = fopen(path, "re");
	int byte;

	if (!f) {
		report("%s: %s", path, strerror(errno));
		return -errno;
	}
	*ret = DIGEST_START;
	while ((byte = getc_unlocked(f)) != EOF)
		*ret = (*ret ^ byte) * DIGEST_PRIME;
	fclose(f);
	return 0;
}

/* Is it one of those that an instance has from the first day? */
static bool is_shipped(const struct state *s, const char *real)
{
	char folder[PATH_MAX], shipped[PATH_MAX];
	const char *slash = strrchr(real, '/');

	if (!s || !s->objects[0])
		return false;
	snprintf(folder, sizeof(folder), "%s/policies", s->objects);
	return realpath(folder, shipped) && strlen(shipped) == (size_t)(slash - real) &&
	       !strncmp(shipped, real, slash - real);
}

int origin_find(const struct state *s, struct policy_load *p)
{
	char real[PATH_MAX];

	if (!realpath(p->path, real)) {
		report("%s: %s", p->path, strerror(errno));
		return -errno;
	}
	if (strlen(real) >= sizeof(p->origin)) {
		report("%s: its path has more than %zu bytes, which 'lbctl save' could not keep; "
		       "move it",
		       p->path, sizeof(p->origin) - 1);
		return -ENAMETOOLONG;
	}
	memset(p->origin, 0, sizeof(p->origin));
	if (!is_shipped(s, real))
		strcpy(p->origin, real);
	return read_digest(real, &p->digest);
}

void origin_write(struct lb_policy_info *info, const struct policy_load *p)
{
	memcpy(info->path, p->origin, sizeof(info->path));
	info->digest = p->digest;
	info->renamed = p->renamed;
}

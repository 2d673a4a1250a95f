// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy_new.c - `lbctl policy new`: the beginning of a policy of one's own.
 *
 * Made of the template that comes with the objects, so that it fits them.  Needs neither
 * root nor an instance.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "object.h"
#include "report.h"

struct written {
	const char *path;
	char *text;
	size_t size;
	bool is_there; /* already, and the same */
};

static enum outcome check_name(const char *name, const char *objects)
{
	char path[PATH_MAX], *c;
	size_t i, n = strlen(name);

	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			break;
	if (i < n || !n || n >= LB_NAME_SIZE || !isalpha((unsigned char)*name)) {
		report("policy '%s': a name is a letter and up to %d letters, digits, '-', "
		       "'_' and '.'",
		       name, LB_NAME_SIZE - 2);
		return USAGE;
	}
	if (!strcmp(name, "default")) {
		report("policy 'default': means the default policy; take another name");
		return REFUSED;
	}

	n = snprintf(path, sizeof(path), "%s/policies/", objects);
	snprintf(path + n, sizeof(path) - n, "%s.bpf.o", name);
	for (c = path + n; *c; c++)
		if (*c == '-')
			*c = '_';
	if (!access(path, F_OK)) {
		report("policy '%s': one of that name comes with lbctl; take another name",
		       name);
		return REFUSED;
	}
	return DONE;
}

/* As C wants it.  A name of one word may be C's own or a header's: it gets another. */
static void make_identifier(const char *name, char ret[2 * LB_NAME_SIZE])
{
	size_t i;

	snprintf(ret, 2 * LB_NAME_SIZE, "%s%s", name,
		 strpbrk(name, "-_.") ? "" : "_policy");
	for (i = 0; ret[i]; i++)
		if (!isalnum((unsigned char)ret[i]))
			ret[i] = '_';
}

/* Where switchyard.pc is: beside the objects of a tree, or as it is installed. */
static void find_pkgconfig(const char *objects, char ret[PATH_MAX])
{
	char path[PATH_MAX], *real;

	snprintf(path, sizeof(path), "%s/switchyard.pc", objects);
	snprintf(ret, PATH_MAX, "%s", objects);
	if (!access(path, R_OK))
		return;
	snprintf(ret, PATH_MAX, "%s/../pkgconfig", objects);
	real = realpath(ret, NULL);
	if (real)
		snprintf(ret, PATH_MAX, "%s", real);
	free(real);
}

/* One @WORD@ of a template and what stands for it. */
struct blank {
	const char *word, *value;
};

static void fill_in(FILE *out, const char *line, const struct blank *blanks)
{
	size_t i;

	while (*line) {
		for (i = 0; blanks[i].word; i++)
			if (!strncmp(line, blanks[i].word, strlen(blanks[i].word)))
				break;
		if (blanks[i].word) {
			fputs(blanks[i].value, out);
			line += strlen(blanks[i].word);
		} else {
			fputc(*line++, out);
		}
	}
}

static int make_text(const char *objects, const char *template,
		     const struct blank *blanks, struct written *ret)
{
	char path[PATH_MAX], line[512];
	FILE *in, *out;

	snprintf(path, sizeof(path), "%s/template/%s", objects, template);
	in = fopen(path, "re");
	out = in ? open_memstream(&ret->text, &ret->size) : NULL;
	if (!out) {
		report("%s: %s", path, strerror(errno));
		if (in)
			fclose(in);
		return -ENOENT;
	}
	while (fgets(line, sizeof(line), in))
		fill_in(out, line, blanks);
	fclose(in);
	if (fclose(out)) {
		report("out of memory");
		return -ENOMEM;
	}
	return 0;
}

static bool is_same(const struct written *w, FILE *f)
{
	size_t i;

	for (i = 0; i < w->size; i++)
		if (fgetc(f) != (unsigned char)w->text[i])
			return false;
	return fgetc(f) == EOF;
}

/* A Makefile of ours builds all policies beside it, so there may be one. */
static enum outcome look(struct written *w)
{
	FILE *f = fopen(w->path, "re");

	if (!f && access(w->path, F_OK))
		return DONE;
	w->is_there = f && is_same(w, f);
	if (f)
		fclose(f);
	if (w->is_there)
		return DONE;
	report("%s: is there already, and is another one; go to an empty folder",
	       w->path);
	return REFUSED;
}

static enum outcome write_file(const struct written *w)
{
	FILE *f = w->is_there ? NULL : fopen(w->path, "wxe");
	bool is_whole;

	if (w->is_there)
		return DONE;
	is_whole = f && fwrite(w->text, 1, w->size, f) == w->size;
	if (f && fclose(f))
		is_whole = false;
	if (is_whole)
		return DONE;
	report("%s: cannot be written: %s", w->path, strerror(errno));
	if (f)
		unlink(w->path);
	return REFUSED;
}

static enum outcome write_files(struct written *source, struct written *makefile)
{
	enum outcome outcome = look(source);

	if (!outcome)
		outcome = look(makefile);
	if (!outcome)
		outcome = write_file(source);
	if (outcome)
		return outcome;
	outcome = write_file(makefile);
	if (outcome && !source->is_there)
		unlink(source->path);
	return outcome;
}

static enum outcome write_policy(const char *name, const char *objects)
{
	char identifier[2 * LB_NAME_SIZE], pkgconfig[PATH_MAX], path[LB_NAME_SIZE + 8];
	struct written source = { .path = path }, makefile = { .path = "Makefile" };
	const struct blank blanks[] = {
		{ "@NAME@", name },
		{ "@IDENT@", identifier },
		{ "@PKGCONFIGDIR@", pkgconfig },
		{},
	};
	enum outcome outcome = REFUSED;

	snprintf(path, sizeof(path), "%s.bpf.c", name);
	make_identifier(name, identifier);
	find_pkgconfig(objects, pkgconfig);
	if (!make_text(objects, "policy.bpf.c.in", blanks, &source) &&
	    !make_text(objects, "Makefile.in", blanks, &makefile))
		outcome = write_files(&source, &makefile);
	if (!outcome)
		report_warning("%s: written; 'make' builds it, 'lbctl policy load "
			       "%s.bpf.o' puts it to the test and loads it",
			       path, name);
	free(source.text);
	free(makefile.text);
	return outcome;
}

enum outcome policy_new(const struct lbctl *l, struct words *w)
{
	const char *name = words_want(w, "the new policy's name");
	enum outcome outcome = name ? words_end(w) : USAGE;
	struct state state = {};

	if (outcome)
		return outcome;
	if (l->where.objects)
		snprintf(state.objects, sizeof(state.objects), "%s", l->where.objects);
	if (objects_locate(&state))
		return REFUSED;
	outcome = check_name(name, state.objects);
	return outcome ? outcome : write_policy(name, state.objects);
}

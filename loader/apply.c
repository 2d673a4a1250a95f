// SPDX-License-Identifier: GPL-2.0-only
/*
 * apply.c - files of commands: `lbctl apply`, `lbctl --batch`, and `lbctl clear`.
 *
 * A file that is applied says all that shall be, so what it does not name goes; a batch
 * says what shall change.  Both do everything or nothing.
 */
#include <string.h>

#include "change.h"
#include "devices.h"
#include "diff.h"
#include "report.h"

static enum outcome take_dry_run(void *to, const char *value)
{
	(void)value;
	((struct change_options *)to)->dry_run = true;
	return DONE;
}

static enum outcome take_force(void *to, const char *value)
{
	(void)value;
	((struct change_options *)to)->force = true;
	return DONE;
}

static const struct option_word apply_options[] = {
	{ "dry-run", NULL, take_dry_run },
	{ "force", NULL, take_force },
};

static enum outcome run_file(const struct lbctl *l, const char *file,
			     const struct change_options *o)
{
	enum outcome outcome;
	struct script s;

	outcome = script_read(file, &s);
	if (outcome)
		return outcome;
	outcome = change_script(l, &s, o);
	script_free(&s);
	return outcome;
}

enum outcome apply_run(const struct lbctl *l, struct words *w)
{
	const char *file = words_want(w, "the file to apply, or '-',");
	struct change_options o = { .is_whole = true };
	enum outcome outcome;

	if (!file)
		return USAGE;
	outcome = options_parse(w, apply_options, 2, &o);
	return outcome ? outcome : run_file(l, file, &o);
}

enum outcome batch_run(const struct lbctl *l, const char *file)
{
	return run_file(l, file, &(struct change_options){});
}

enum outcome clear_run(const struct lbctl *l, struct words *w)
{
	enum outcome outcome = words_end(w);
	struct state state;
	int i;

	if (outcome)
		return outcome;
	if (state_open(&state, &l->where, STATE_WRITE))
		return REFUSED;

	for (i = 0; i < LB_MAX_DEVICES && !outcome; i++) {
		struct lb_device dev = state.devices[i];

		if (device_is_attached(&dev) && detach_device(&state, &dev))
			outcome = REFUSED;
	}
	if (!outcome && state_destroy(&state))
		outcome = REFUSED;
	if (!outcome)
		diff_log("clear");
	state_close(&state);
	return outcome;
}

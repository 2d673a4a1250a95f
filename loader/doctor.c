// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor.c - `lbctl doctor`: is everything as it must be for packets to be forwarded?
 *
 * Looks and changes nothing.  Each check gives ok, warn or fail; one that fails makes the
 * exit status 1.
 */
#include "doctor.h"

#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "chain.h"
#include "devices.h"
#include "output.h"
#include "report.h"
#include "snapshot.h"

void doctor_say(struct doctor *d, enum verdict verdict, const char *check,
		const char *object, const char *remedy, const char *format, ...)
{
	static const char *const names[] = { "ok", "warn", "fail" };
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	json_array_append_new(d->rows,
			      json_pack("{s:s, s:s, s:s, s:s, s:s?}", "verdict",
					names[verdict], "check", check, "object", object,
					"found", text, "remedy", remedy));
	if (verdict == VERDICT_FAIL)
		d->failed = true;
}

long doctor_read_number(const char *format, ...)
{
	char path[256];
	va_list args;
	long value;
	FILE *f;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);

	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%ld", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

static void check_forwarding(struct doctor *d)
{
	static const char *const families[] = { "ipv4", "ipv6" };
	char object[64], remedy[96];
	int i;

	for (i = 0; i < 2; i++) {
		long value = doctor_read_number("/proc/sys/net/%s/conf/lo/forwarding",
						families[i]);

		snprintf(object, sizeof(object), "net.%s.conf.lo.forwarding",
			 families[i]);
		snprintf(remedy, sizeof(remedy), "sysctl -w %s=1", object);
		if (value == 1)
			doctor_say(d, VERDICT_OK, "forwarding", object, NULL, "is 1");
		else if (value < 0)
			doctor_say(d, VERDICT_WARN, "forwarding", object, NULL,
				   "there is none: the kernel has no %s", families[i]);
		else
			doctor_say(d, VERDICT_FAIL, "forwarding", object, remedy,
				   "is %ld: next hops cannot be looked up", value);
	}
}

/* @only NULL: all interfaces the chain is on. */
static enum outcome check_instance(struct doctor *d, struct state *s, const char *only)
{
	struct model m;
	int i, n = 0;

	if (state_read(s, &m)) {
		report("%s: cannot read the state", s->dir);
		return REFUSED;
	}

	check_forwarding(d);
	for (i = 0; i < LB_MAX_DEVICES; i++) {
		const struct lb_device *dev = &s->devices[i];

		if (!device_is_attached(dev) ||
		    (only && dev->ifindex != if_nametoindex(only)))
			continue;
		doctor_device(d, dev->name, dev);
		n++;
	}
	if (only && !n)
		doctor_device(d, only, NULL);
	if (!only && !n)
		doctor_say(d, VERDICT_WARN, "attached", "chain", "lbctl chain attach DEV",
			   "on no interface: nothing is forwarded");

	doctor_services(d, s, &m);
	doctor_backends(d, s, &m);
	model_free(&m);
	return DONE;
}

static const struct column columns[] = {
	{ .title = "VERDICT", .key = "verdict" }, { .title = "CHECK", .key = "check" },
	{ .title = "OBJECT", .key = "object" },	  { .title = "FOUND", .key = "found" },
	{ .title = "REMEDY", .key = "remedy" },
};

enum outcome doctor_run(const struct lbctl *l, struct words *w)
{
	const char *only = words_next(w);
	enum outcome outcome = words_end(w);
	struct doctor d = {};
	struct state state;

	if (outcome)
		return outcome;
	if (only && !if_nametoindex(only)) {
		report("%s: no such interface (see 'ip link')", only);
		return REFUSED;
	}

	d.rows = json_array();
	doctor_system(&d);
	if (!instance_exists(&l->where)) {
		doctor_say(&d, VERDICT_WARN, "instance",
			   l->where.instance ? l->where.instance : "default",
			   "lbctl chain attach DEV", "there is none yet");
		if (only)
			doctor_device(&d, only, NULL);
	} else if (state_open(&state, &l->where, STATE_READ)) {
		json_decref(d.rows);
		return REFUSED;
	} else {
		outcome = check_instance(&d, &state, only);
		state_close(&state);
	}

	if (outcome) {
		json_decref(d.rows);
		return outcome;
	}
	outcome = output_list(l, "checks", d.rows, columns,
			      sizeof(columns) / sizeof(columns[0]), NULL);
	return d.failed ? REFUSED : outcome;
}

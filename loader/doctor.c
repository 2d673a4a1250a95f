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

	json_array_append_new(d->rows[verdict],
			      json_pack("{s:s, s:s, s:s, s:s, s:s?}", "verdict",
					names[verdict], "check", check, "object", object,
					"found", text, "remedy", remedy));
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

/* As it is called now. */
static void check_attached(struct doctor *d, const struct snapshot *s,
			   const struct lb_device *dev)
{
	char name[IF_NAMESIZE];

	doctor_device(d, s, if_indextoname(dev->ifindex, name) ? name : dev->name, dev);
}

/* Also if it was deleted and made anew. */
static const struct lb_device *find_device(const struct state *s, const char *name)
{
	const struct lb_device *dev = device_find(s, name);
	int i;

	for (i = 0; !dev && i < LB_MAX_DEVICES; i++)
		if (device_is_attached(&s->devices[i]) &&
		    !strcmp(s->devices[i].name, name))
			dev = &s->devices[i];
	return dev;
}

/* @only NULL: all interfaces the chain is on. */
static void check_devices(struct doctor *d, const struct snapshot *s, const char *only)
{
	const struct lb_device *one = only ? find_device(&s->state, only) : NULL;
	int i, n = 0;

	if (only) {
		doctor_device(d, s, only, one);
		return;
	}
	for (i = 0; i < LB_MAX_DEVICES; i++) {
		if (!device_is_attached(&s->state.devices[i]))
			continue;
		check_attached(d, s, &s->state.devices[i]);
		n++;
	}
	if (!n)
		doctor_say(d, VERDICT_WARN, "attached", "chain", "lbctl chain attach DEV",
			   "on no interface: nothing is forwarded");
}

static enum outcome check_instance(struct doctor *d, const struct lbctl *l,
				   const char *only)
{
	struct snapshot s;

	if (snapshot_open(l, &s))
		return REFUSED;
	check_forwarding(d);
	doctor_instance(d, &s);
	check_devices(d, &s, only);
	doctor_services(d, &s.state, &s.model);
	doctor_backends(d, &s.state, &s.model);
	doctor_reach(d, &s);
	snapshot_close(&s);
	return DONE;
}

static const struct column columns[] = {
	{ .title = "VERDICT", .key = "verdict" }, { .title = "CHECK", .key = "check" },
	{ .title = "OBJECT", .key = "object" },	  { .title = "FOUND", .key = "found" },
	{ .title = "REMEDY", .key = "remedy" },
};

/* The worst first: who is ill does not look for it among what is well. */
static json_t *sort_rows(struct doctor *d)
{
	int i;

	for (i = VERDICT_FAIL; i-- > VERDICT_OK;) {
		json_array_extend(d->rows[VERDICT_FAIL], d->rows[i]);
		json_decref(d->rows[i]);
	}
	return d->rows[VERDICT_FAIL];
}

static enum outcome examine(const struct lbctl *l, const char *only)
{
	struct doctor d = { { json_array(), json_array(), json_array() } };
	enum outcome outcome = DONE;
	bool failed;
	json_t *rows;

	doctor_system(&d);
	if (doctor_pins(&d, &l->where))
		outcome = check_instance(&d, l, only);
	else if (only)
		doctor_device(&d, NULL, only, NULL);
	failed = json_array_size(d.rows[VERDICT_FAIL]) > 0;
	rows = sort_rows(&d);
	if (outcome) {
		json_decref(rows);
		return outcome;
	}
	outcome = output_list(l, "checks", rows, columns,
			      sizeof(columns) / sizeof(columns[0]), NULL);
	return failed ? REFUSED : outcome;
}

enum outcome doctor_run(const struct lbctl *l, struct words *w)
{
	const char *only = words_next(w);
	enum outcome outcome = words_end(w);

	if (outcome)
		return outcome;
	if (only && !if_nametoindex(only)) {
		report("%s: no such interface (see 'ip link')", only);
		return REFUSED;
	}
	return examine(l, only);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * settings.c - the settings of a service, as the words that make them.
 */
#include "settings.h"

#include <stdio.h>
#include <string.h>

#include "address.h"
#include "number.h"

const char *forward_name(enum lb_forward forward)
{
	static const char *const names[] = { "none", "fullnat", "nat",	"dsr",
					     "ipip", "gue",	"local" };

	return (size_t)forward < sizeof(names) / sizeof(names[0]) ? names[forward] : "?";
}

const char *on_empty_name(enum lb_on_empty on_empty)
{
	static const char *const names[] = { "reject", "drop", "pass" };

	return (size_t)on_empty < sizeof(names) / sizeof(names[0]) ? names[on_empty]
								   : "?";
}

const char *on_empty_means(enum lb_on_empty on_empty)
{
	if (on_empty == LB_ON_EMPTY_PASS)
		return "left to this host's own stack";
	return on_empty == LB_ON_EMPTY_DROP ? "dropped" : "rejected";
}

const char *on_unknown_name(enum lb_on_unknown on_unknown)
{
	static const char *const names[] = { "auto", "select", "reset", "drop" };

	return (size_t)on_unknown < sizeof(names) / sizeof(names[0]) ? names[on_unknown]
								     : "?";
}

const char *persistence_name(const struct model_service *s)
{
	if (s->client_ms)
		return "client";
	return s->per_packet ? "none" : "flow";
}

const char *timeout_name(enum model_timeout timeout)
{
	static const char *const names[] = { "timeout-idle", "timeout-half-open",
					     "timeout-closing", "timeout-closed" };

	return (size_t)timeout < sizeof(names) / sizeof(names[0]) ? names[timeout] : "?";
}

char *source_format(const struct model_service *s, char *ret)
{
	char *to = ret;
	int i;

	for (i = 0; i < 2; i++) {
		if (!s->source[i].address.family)
			continue;
		if (to != ret)
			*to++ = ',';
		prefix_format(&s->source[i].address, s->source[i].prefix, to);
		to += strlen(to);
	}
	return to == ret ? strcpy(ret, "off") : ret;
}

static char *persistence_text(const struct model_service *s, int which, char *ret)
{
	char time[NUMBER_TEXT_SIZE];

	(void)which;
	strcpy(ret, persistence_name(s));
	if (s->client_ms)
		snprintf(ret, SETTING_TEXT_SIZE, "%s %s", persistence_name(s),
			 time_format(s->client_ms, time));
	return ret;
}

static char *source_text(const struct model_service *s, int which, char *ret)
{
	(void)which;
	return source_format(s, ret);
}

static char *ports_text(const struct model_service *s, int which, char *ret)
{
	(void)which;
	snprintf(ret, SETTING_TEXT_SIZE, "%u-%u", s->port_low, s->port_high);
	return ret;
}

static char *on_empty_text(const struct model_service *s, int which, char *ret)
{
	(void)which;
	return strcpy(ret, on_empty_name(s->on_empty));
}

static char *on_unknown_text(const struct model_service *s, int which, char *ret)
{
	(void)which;
	return strcpy(ret, on_unknown_name(s->on_unknown));
}

static char *grace_text(const struct model_service *s, int which, char *ret)
{
	(void)which;
	return s->grace_ms ? time_format(s->grace_ms, ret) : strcpy(ret, "off");
}

static char *slow_start_text(const struct model_service *s, int which, char *ret)
{
	(void)which;
	return s->slow_start_ms ? time_format(s->slow_start_ms, ret) : strcpy(ret, "off");
}

static char *mss_text(const struct model_service *s, int which, char *ret)
{
	(void)which;
	if (!s->mss)
		return strcpy(ret, "off");
	snprintf(ret, SETTING_TEXT_SIZE, "%u", s->mss);
	return ret;
}

static char *icmp_reply_text(const struct model_service *s, int which, char *ret)
{
	(void)which;
	return strcpy(ret, s->icmp_reply ? "on" : "off");
}

static char *timeout_text(const struct model_service *s, int which, char *ret)
{
	if (s->timeout_set & 1U << which)
		return time_format(s->timeout_ms[which], ret);
	return strcpy(ret, "default");
}

const struct setting settings[N_SETTINGS] = {
	{ "persistence", persistence_text, 0 },
	{ "src", source_text, 0 },
	{ "ports", ports_text, 0 },
	{ "on-empty", on_empty_text, 0 },
	{ "on-unknown", on_unknown_text, 0 },
	{ "grace", grace_text, 0 },
	{ "slow-start", slow_start_text, 0 },
	{ "mss", mss_text, 0 },
	{ "icmp-reply", icmp_reply_text, 0 },
	{ "timeout-idle", timeout_text, TIMEOUT_IDLE },
	{ "timeout-half-open", timeout_text, TIMEOUT_HALF_OPEN },
	{ "timeout-closing", timeout_text, TIMEOUT_CLOSING },
	{ "timeout-closed", timeout_text, TIMEOUT_CLOSED },
};

bool setting_is_set(const struct setting *setting, const struct model_service *s,
		    char *ret)
{
	char standard[SETTING_TEXT_SIZE];
	struct model_service new;

	model_init_service(&new);
	return strcmp(setting->text(s, setting->which, ret),
		      setting->text(&new, setting->which, standard));
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * service_options.c - the words that say how a service is, for `add`, `set` and `replace`.
 *
 * Each is read by itself; whether they go together is asked in check.c.
 */
#include <ctype.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "change.h"
#include "names.h"
#include "number.h"
#include "report.h"
#include "settings.h"

#define TIMEOUT_MAX_MS (7ULL * 24 * 3600 * 1000)
#define CLIENT_MS      (300ULL * 1000) /* persistence client, if no time is said */

struct service_words {
	struct change *change;
	struct words *words;
	struct model_service *service;
};

static enum outcome take_forward(void *to, const char *value)
{
	const char *modes[LB_FORWARD_MAX - 1];
	struct service_words *s = to;
	char miss[MISS_TEXT_SIZE];
	int i;

	for (i = 1; i < LB_FORWARD_MAX; i++) {
		modes[i - 1] = forward_name(i);
		if (strcmp(value, modes[i - 1]))
			continue;
		s->service->forward = i;
		return DONE;
	}
	report("forward '%s': no such mode%s", value,
	       did_you_mean(value, modes, LB_FORWARD_MAX - 1, miss));
	return USAGE;
}

static enum outcome take_policy(void *to, const char *value)
{
	struct service_words *s = to;

	if (!strcmp(value, "default")) {
		s->service->policy = -1;
		return DONE;
	}
	return change_find_policy(s->change, value, &s->service->policy);
}

static enum outcome take_ports(void *to, const char *value)
{
	const char *dash = strchr(value, '-');
	unsigned long low, high;
	struct service_words *s = to;
	char first[8] = "";

	if (dash && (size_t)(dash - value) < sizeof(first))
		memcpy(first, value, dash - value);
	if (!dash || !number_parse(first, 1, 65535, &low) ||
	    !number_parse(dash + 1, 1, 65535, &high) || low > high) {
		report("ports '%s': not a range LO-HI within 1-65535", value);
		return USAGE;
	}
	s->service->port_low = low;
	s->service->port_high = high;
	return DONE;
}

/* The time behind 'persistence client', which may be left out. */
static enum outcome take_client(struct service_words *s)
{
	struct words *w = s->words;
	const char *text = w->at < w->n ? w->word[w->at] : "";

	s->service->client_ms = CLIENT_MS;
	if (!isdigit((unsigned char)*text))
		return DONE;
	w->at++;
	if (time_parse(text, &s->service->client_ms) && s->service->client_ms &&
	    s->service->client_ms <= TIMEOUT_MAX_MS)
		return DONE;
	report("persistence client '%s': not a time from 1ms to 7d, as in 5m", text);
	return USAGE;
}

static enum outcome take_persistence(void *to, const char *value)
{
	static const char *const words[] = { "flow", "none", "client", "quic" };
	struct service_words *s = to;
	char miss[MISS_TEXT_SIZE];
	int i;

	for (i = 0; i < 4; i++)
		if (!strcmp(value, words[i]))
			break;
	if (i == 4) {
		report("persistence '%s': not flow, none or client%s", value,
		       did_you_mean(value, words, 3, miss));
		return USAGE;
	}
	if (i == 3) {
		report("persistence 'quic': not built yet; this version has flow, none and "
		       "client");
		return REFUSED;
	}
	s->service->per_packet = i == 1;
	s->service->client_ms = 0;
	return i == 2 ? take_client(s) : DONE;
}

/* @text is one ADDR[/LEN] of @value. */
static enum outcome add_source(struct model_service *s, const char *value,
			       const char *text)
{
	struct model_source source = {}, *to;
	char meant[ADDRESS_TEXT_SIZE + 8];
	unsigned int length;
	const char *wrong;

	wrong = prefix_parse(text, &source.address, &length);
	if (wrong && source.address.family) {
		report("src '%s': %s; did you mean '%s'?", text, wrong,
		       prefix_format(&source.address, length, meant));
		return USAGE;
	}
	if (wrong) {
		report("src '%s': %s", text, wrong);
		return USAGE;
	}

	to = &s->source[source.address.family == 6];
	if (to->address.family) {
		report("src '%s': two of IPv%u; there is one of each family", value,
		       source.address.family);
		return USAGE;
	}
	source.prefix = length;
	*to = source;
	return DONE;
}

static enum outcome take_source(void *to, const char *value)
{
	struct service_words *s = to;
	char copy[SETTING_TEXT_SIZE], *at = copy, *text;
	enum outcome outcome = DONE;

	memset(s->service->source, 0, sizeof(s->service->source));
	if (!strcmp(value, "off"))
		return DONE;
	if (strlen(value) >= sizeof(copy)) {
		report("src '%s': not ADDR[/LEN] of each family, or 'off'", value);
		return USAGE;
	}
	strcpy(copy, value);
	while (!outcome && (text = strsep(&at, ",")))
		outcome = add_source(s->service, value, text);
	return outcome;
}

static enum outcome take_on_empty(void *to, const char *value)
{
	struct service_words *s = to;
	const char *words[LB_ON_EMPTY_PASS + 1];
	char miss[MISS_TEXT_SIZE];
	int i;

	for (i = 0; i <= LB_ON_EMPTY_PASS; i++) {
		words[i] = on_empty_name(i);
		if (strcmp(value, words[i]))
			continue;
		s->service->on_empty = i;
		return DONE;
	}
	report("on-empty '%s': not reject, drop or pass%s", value,
	       did_you_mean(value, words, LB_ON_EMPTY_PASS + 1, miss));
	return USAGE;
}

static enum outcome take_on_unknown(void *to, const char *value)
{
	struct service_words *s = to;
	const char *words[LB_ON_UNKNOWN_DROP + 1];
	char miss[MISS_TEXT_SIZE];
	int i;

	for (i = 0; i <= LB_ON_UNKNOWN_DROP; i++) {
		words[i] = on_unknown_name(i);
		if (strcmp(value, words[i]))
			continue;
		s->service->on_unknown = i;
		return DONE;
	}
	report("on-unknown '%s': not auto, select, reset or drop%s", value,
	       did_you_mean(value, words, LB_ON_UNKNOWN_DROP + 1, miss));
	return USAGE;
}

/* A time after which something is over; 0: it is not. */
static enum outcome take_time(const char *keyword, const char *value, __u64 *ret_ms)
{
	__u64 ms = 0;

	if (strcmp(value, "off") && (!time_parse(value, &ms) || ms > TIMEOUT_MAX_MS)) {
		report("%s '%s': not a time up to 7d, as in 90s, and not 'off'", keyword,
		       value);
		return USAGE;
	}
	*ret_ms = ms;
	return DONE;
}

static enum outcome take_grace(void *to, const char *value)
{
	return take_time("grace", value,
			 &((struct service_words *)to)->service->grace_ms);
}

static enum outcome take_slow_start(void *to, const char *value)
{
	return take_time("slow-start", value,
			 &((struct service_words *)to)->service->slow_start_ms);
}

static enum outcome take_mss(void *to, const char *value)
{
	struct service_words *s = to;
	unsigned long mss = 0;

	if (strcmp(value, "off") && !number_parse(value, 1, 65535, &mss)) {
		report("mss '%s': not a number of bytes, as in 1400, and not 'off'",
		       value);
		return USAGE;
	}
	s->service->mss = mss;
	return DONE;
}

static enum outcome take_icmp_reply(void *to, const char *value)
{
	struct service_words *s = to;

	if (strcmp(value, "on") && strcmp(value, "off")) {
		report("icmp-reply '%s': not on or off", value);
		return USAGE;
	}
	s->service->icmp_reply = !strcmp(value, "on");
	return DONE;
}

static enum outcome take_timeout(struct service_words *s, enum model_timeout which,
				 const char *value)
{
	__u64 ms;

	if (!time_parse(value, &ms) || !ms || ms > TIMEOUT_MAX_MS) {
		report("%s '%s': not a time from 1ms to 7d, as in 90s",
		       timeout_name(which), value);
		return USAGE;
	}
	if (which != TIMEOUT_IDLE && s->service->protocol != IPPROTO_TCP) {
		report("%s: %s %s service has timeout-idle only", timeout_name(which),
		       s->service->protocol == IPPROTO_UDP ? "a" : "an",
		       protocol_name(s->service->protocol));
		return REFUSED;
	}
	s->service->timeout_set |= 1U << which;
	s->service->timeout_ms[which] = ms;
	return DONE;
}

static enum outcome take_idle(void *to, const char *value)
{
	return take_timeout(to, TIMEOUT_IDLE, value);
}

static enum outcome take_half_open(void *to, const char *value)
{
	return take_timeout(to, TIMEOUT_HALF_OPEN, value);
}

static enum outcome take_closing(void *to, const char *value)
{
	return take_timeout(to, TIMEOUT_CLOSING, value);
}

static enum outcome take_closed(void *to, const char *value)
{
	return take_timeout(to, TIMEOUT_CLOSED, value);
}

static enum outcome take_comment(void *to, const char *value)
{
	struct service_words *s = to;
	const char *c;
	json_t *text;

	if (strlen(value) >= sizeof(s->service->comment)) {
		report("comment: longer than %zu bytes", sizeof(s->service->comment) - 1);
		return REFUSED;
	}
	for (c = value; *c; c++) {
		if (!iscntrl((unsigned char)*c))
			continue;
		report("comment: holds a control character");
		return USAGE;
	}
	text = json_string(value);
	if (!text) {
		report("comment: not UTF-8");
		return USAGE;
	}
	json_decref(text);
	strcpy(s->service->comment, value);
	return DONE;
}

static const struct option_word words[] = {
	{ "forward", "fullnat, nat, dsr, ipip, gue or local", take_forward },
	{ "policy", "a policy's name, or default", take_policy },
	{ "persistence", "flow, none or client", take_persistence },
	{ "src", "ADDR[/LEN],... or off", take_source },
	{ "ports", "LO-HI", take_ports },
	{ "on-empty", "reject, drop or pass", take_on_empty },
	{ "on-unknown", "auto, select, reset or drop", take_on_unknown },
	{ "grace", "a time, as in 15m, or off", take_grace },
	{ "slow-start", "a time, as in 90s, or off", take_slow_start },
	{ "mss", "a number of bytes, or off", take_mss },
	{ "icmp-reply", "on or off", take_icmp_reply },
	{ "timeout-idle", "a time, as in 90s", take_idle },
	{ "timeout-half-open", "a time, as in 90s", take_half_open },
	{ "timeout-closing", "a time, as in 90s", take_closing },
	{ "timeout-closed", "a time, as in 90s", take_closed },
	{ "comment", "a text", take_comment },
	{ "slots", "", NULL },
};

enum outcome service_options(struct change *c, struct words *w, struct model_service *s)
{
	struct service_words to = { .change = c, .words = w, .service = s };

	return options_parse(w, words, sizeof(words) / sizeof(words[0]), &to);
}

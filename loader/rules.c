// SPDX-License-Identifier: GPL-2.0-only
/*
 * rules.c - the rules of policy match: as users write them, and what they may say together.
 *
 * Two rules of different backends must have no packet in common, so that their order says
 * nothing: a file of rules may be sorted, and a rule added last is never hidden.
 */
#include "rules.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "made.h"
#include "number.h"
#include "report.h"

#define RULE_WORDS 10
#define LENGTH_MAX 65535

static const char grammar[] =
	"a rule is [len N|LO-HI] [at OFFSET = TEXT|0xHEX] backend BACKEND";

/* ---- text ---------------------------------------------------------------------------- */

/* A rule in the reading. */
struct reader {
	const char *text;
	const struct model_service *service;
	struct model_rule *rule;
	char *word[RULE_WORDS];
	size_t n, at;
};

static enum outcome wrong(const struct reader *r, const char *what)
{
	report("rule '%s': %s; %s", r->text, what, grammar);
	return USAGE;
}

static bool take(struct reader *r, const char *keyword)
{
	if (r->at == r->n || strcmp(r->word[r->at], keyword))
		return false;
	r->at++;
	return true;
}

static enum outcome read_length(struct reader *r)
{
	char *low = r->at < r->n ? r->word[r->at++] : (char *)"", *high;
	unsigned long a, b;

	high = strchr(low, '-');
	if (high)
		*high++ = '\0';
	if (!number_parse(low, 0, LENGTH_MAX, &a) ||
	    !number_parse(high ? high : low, 0, LENGTH_MAX, &b) || a > b)
		return wrong(r, "the length is not N or LO-HI, within 0-65535");
	r->rule->low = a;
	r->rule->high = b;
	return DONE;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static enum outcome read_hex(struct reader *r, const char *hex)
{
	size_t i, n = strlen(hex);

	if (!n || n % 2 || strspn(hex, "0123456789abcdefABCDEF") != n)
		return wrong(r, "after 0x are not pairs of hexadecimal digits");
	if (n / 2 > LB_MATCH_BYTES)
		return wrong(r, "more than 16 bytes");
	for (i = 0; i < n / 2; i++)
		r->rule->bytes[i] = hex_digit(hex[2 * i]) << 4 |
				    hex_digit(hex[2 * i + 1]);
	r->rule->n_bytes = n / 2;
	return DONE;
}

static enum outcome read_bytes(struct reader *r)
{
	const char *offset = r->at < r->n ? r->word[r->at++] : "", *bytes;
	unsigned long value;

	if (!number_parse(offset, 0, LENGTH_MAX, &value))
		return wrong(r, "the offset is not a number from 0 to 65535");
	if (!take(r, "=") || r->at == r->n)
		return wrong(r, "'at OFFSET' lacks its '= BYTES'");
	bytes = r->word[r->at++];
	r->rule->offset = value;
	if (!strncmp(bytes, "0x", 2))
		return read_hex(r, bytes + 2);
	if (strlen(bytes) > LB_MATCH_BYTES)
		return wrong(r, "more than 16 bytes");
	r->rule->n_bytes = strlen(bytes);
	memcpy(r->rule->bytes, bytes, r->rule->n_bytes);
	return DONE;
}

/* ":PORT": the only backend that has it. */
static enum outcome find_by_port(struct reader *r, const char *word,
				 const struct model_backend **ret)
{
	const struct model_service *s = r->service;
	char name[ENDPOINT_TEXT_SIZE];
	unsigned long port;
	size_t i;

	if (!number_parse(word + 1, 1, 65535, &port))
		return wrong(r, "the backend's port is not a number from 1 to 65535");
	*ret = NULL;
	for (i = 0; i < s->n_backends; i++) {
		if (s->backends[i].port != port)
			continue;
		if (*ret) {
			report("rule '%s': %s has more than one backend with port %lu; "
			       "name its address, too",
			       r->text, service_text(s, name), port);
			return REFUSED;
		}
		*ret = &s->backends[i];
	}
	return DONE;
}

static enum outcome read_backend(struct reader *r)
{
	const char *word = r->at < r->n ? r->word[r->at++] : "", *error;
	const struct model_backend *b = NULL;
	char name[ENDPOINT_TEXT_SIZE];
	enum outcome outcome = DONE;
	struct address address;
	__u16 port;

	if (*word == ':') {
		outcome = find_by_port(r, word, &b);
	} else {
		error = backend_parse(word, &address, &port);
		if (error)
			return wrong(r, "the backend is not IP[:PORT] or :PORT");
		b = model_find_backend(r->service, &address,
				       model_backend_port(r->service, port));
	}
	if (outcome)
		return outcome;
	if (!b) {
		report("rule '%s': backend '%s' is not in %s (see 'lbctl backend show')",
		       r->text, word, service_text(r->service, name));
		return REFUSED;
	}
	r->rule->address = b->address;
	r->rule->port = b->port;
	return DONE;
}

static enum outcome read_words(struct reader *r)
{
	enum outcome outcome = DONE;
	bool has_length = take(r, "len");

	if (has_length)
		outcome = read_length(r);
	if (!outcome && take(r, "at"))
		outcome = read_bytes(r);
	if (outcome)
		return outcome;
	if (!take(r, "backend"))
		return wrong(r, "'backend' is missing");
	outcome = read_backend(r);
	if (outcome)
		return outcome;
	if (r->at < r->n)
		return wrong(r, "there is more behind the backend");
	if (!has_length && !r->rule->n_bytes)
		return wrong(r, "neither 'len' nor 'at'");
	if (r->rule->offset + r->rule->n_bytes > r->rule->high)
		return wrong(r, "no payload of that length has these bytes");
	return DONE;
}

enum outcome rule_parse(const char *text, const struct model_service *s,
			struct model_rule *ret)
{
	struct reader r = { .text = text, .service = s, .rule = ret };
	char *copy = strdup(text), *word, *rest = NULL;
	enum outcome outcome;

	if (!copy) {
		report("out of memory");
		return REFUSED;
	}
	memset(ret, 0, sizeof(*ret));
	ret->high = LENGTH_MAX;
	for (word = strtok_r(copy, " \t", &rest); word && r.n < RULE_WORDS;
	     word = strtok_r(NULL, " \t", &rest))
		r.word[r.n++] = word;
	outcome = read_words(&r);
	free(copy);
	return outcome;
}

/* Can the bytes stand as a text, and be read back as the same? */
static bool is_text(const struct model_rule *r)
{
	__u32 i;

	for (i = 0; i < r->n_bytes; i++)
		if (!isgraph(r->bytes[i]) || strchr("'\"\\#", r->bytes[i]))
			return false;
	return r->n_bytes < 2 || memcmp(r->bytes, "0x", 2);
}

char *rule_format(const struct model_rule *r, char *ret)
{
	char backend[ENDPOINT_TEXT_SIZE];
	size_t used = 0, size = RULE_TEXT_SIZE;
	__u32 i;

	if (r->low == r->high)
		used += snprintf(ret, size, "len %u ", r->low);
	else if (!r->n_bytes || r->low || r->high != LENGTH_MAX)
		used += snprintf(ret, size, "len %u-%u ", r->low, r->high);
	if (r->n_bytes) {
		bool text = is_text(r);

		used += snprintf(ret + used, size - used, "at %u = %s", r->offset,
				 text ? "" : "0x");
		for (i = 0; i < r->n_bytes; i++)
			used += snprintf(ret + used, size - used, text ? "%c" : "%02x",
					 r->bytes[i]);
		ret[used++] = ' ';
	}
	snprintf(ret + used, size - used, "backend %s",
		 backend_format(&r->address, r->port, backend));
	return ret;
}

/* ---- what they say together ------------------------------------------------------------ */

static bool same_backend(const struct model_rule *a, const struct model_rule *b)
{
	return !address_compare(&a->address, &b->address) && a->port == b->port;
}

static bool same_rule(const struct model_rule *a, const struct model_rule *b)
{
	return a->low == b->low && a->high == b->high && a->n_bytes == b->n_bytes &&
	       a->offset == b->offset && !memcmp(a->bytes, b->bytes, a->n_bytes) &&
	       same_backend(a, b);
}

/* The shortest payload that it can match. */
static __u32 shortest(const struct model_rule *r)
{
	__u32 end = r->n_bytes ? r->offset + r->n_bytes : 0;

	return r->low > end ? r->low : end;
}

/* Is there a packet that both match? */
static bool rules_meet(const struct model_rule *a, const struct model_rule *b)
{
	__u32 i;

	if (shortest(a) > b->high || shortest(b) > a->high)
		return false;
	for (i = 0; i < a->n_bytes; i++) {
		__u32 at = a->offset + i;

		if (at >= b->offset && at < (__u32)b->offset + b->n_bytes &&
		    a->bytes[i] != b->bytes[at - b->offset])
			return false;
	}
	return true;
}

struct model_rule *rule_find(const struct model_service *s, const struct model_rule *r)
{
	size_t i;

	for (i = 0; i < s->n_rules; i++)
		if (same_rule(&s->rules[i], r))
			return &s->rules[i];
	return NULL;
}

static enum outcome check_new(const struct model_service *s, const struct model_rule *r)
{
	char name[ENDPOINT_TEXT_SIZE], one[RULE_TEXT_SIZE], two[RULE_TEXT_SIZE];
	size_t i;

	for (i = 0; i < s->n_rules; i++) {
		if (same_backend(&s->rules[i], r) || !rules_meet(&s->rules[i], r))
			continue;
		report("rule '%s': some packets match '%s', too, which has another backend; "
		       "remove that with 'policy param match no-rule' first",
		       rule_format(r, one), rule_format(&s->rules[i], two));
		return REFUSED;
	}
	if (s->n_rules < LB_MATCH_RULES)
		return DONE;
	report("rule '%s': %s has %d rules already, which is the limit",
	       rule_format(r, one), service_text(s, name), LB_MATCH_RULES);
	return REFUSED;
}

enum outcome rule_add(struct model_service *s, const struct model_rule *r)
{
	enum outcome outcome;

	if (rule_find(s, r))
		return DONE;
	outcome = check_new(s, r);
	if (!outcome && !model_add_rule(s, r)) {
		report("out of memory");
		outcome = REFUSED;
	}
	return outcome;
}

const struct model_rule *rule_of_backend(const struct model_service *s,
					 const struct model_backend *b)
{
	size_t i;

	for (i = 0; i < s->n_rules; i++)
		if (!address_compare(&s->rules[i].address, &b->address) &&
		    s->rules[i].port == b->port)
			return &s->rules[i];
	return NULL;
}

bool rules_lack(const struct model *m, const struct model_service *s)
{
	return !s->n_rules &&
	       !strcmp(m->policies[service_policy(m, s)].info.meta.name, RULES_POLICY);
}

enum outcome rules_check(const struct model *m)
{
	char name[ENDPOINT_TEXT_SIZE];
	size_t i;

	for (i = 0; i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];
		const struct lb_policy_meta *policy =
			&m->policies[service_policy(m, s)].info.meta;

		if (s->per_packet || !(policy->promises & LB_PROMISE_PACKET))
			continue;
		report("service '%s': policy '%s' decides for each packet, which needs "
		       "'persistence none'; make the service with it, or give it another "
		       "policy",
		       service_text(s, name), policy->name);
		return REFUSED;
	}
	return DONE;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain_words.c - the packet that a user describes: CLIENT SERVICE [dev DEV] [flags F].
 */
#include <netinet/in.h>
#include <string.h>

#include "address.h"
#include "explain.h"
#include "names.h"
#include "report.h"

#define CLIENT_PORT 49152 /* of a client without a port: the first ephemeral one */
#define SYN	    2

struct options {
	const char *dev;
	bool has_flags;
	__u8 flags;
};

static enum outcome take_dev(void *to, const char *value)
{
	((struct options *)to)->dev = value;
	return DONE;
}

static enum outcome take_flags(void *to, const char *value)
{
	struct options *o = to;

	o->has_flags = true;
	if (tcp_flags_parse(value, &o->flags))
		return DONE;
	report("flags '%s': not letters of FSRPAUEC, or 'none' (S: SYN, A: ACK, F: FIN, R: RST)",
	       value);
	return USAGE;
}

static const struct option_word options[] = {
	{ "dev", "the interface by which the packet comes", take_dev },
	{ "flags", "the TCP flags, as in SA,", take_flags },
};

static enum outcome take_client(struct words *w, struct frame *f)
{
	const char *word = words_want(w, "the client, as in 10.0.0.1:4711,"), *wrong;

	if (!word)
		return USAGE;
	wrong = backend_parse(word, &f->source, &f->sport);
	if (!wrong)
		return DONE;
	report("client '%s': %s", word, wrong);
	return USAGE;
}

static bool is_icmp(__u8 protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* Of all that a service may be, a packet has one address and one port. */
static enum outcome take_destination(struct words *w, struct frame *f)
{
	struct service_name name;
	enum outcome outcome = name_service(w, &name);
	char text[ENDPOINT_TEXT_SIZE];

	if (outcome)
		return outcome;
	f->destination = name.address;
	f->dport = name.port;
	f->protocol = name.protocol;
	if (name.port == name.port_last &&
	    name.prefix == (name.address.family == 4 ? 32 : 128))
		return DONE;
	report("service '%s': a packet has one address and one port; say which, as in "
	       "10.0.0.10:80/tcp",
	       service_format(&name, text));
	return USAGE;
}

static enum outcome check(struct frame *f, const struct options *o)
{
	if (f->source.family != f->destination.family) {
		report("the client's address is IPv%d, the service's IPv%d: a packet has two "
		       "of one family",
		       f->source.family, f->destination.family);
		return USAGE;
	}
	if (o->has_flags && f->protocol != IPPROTO_TCP) {
		report("'flags': only TCP has them");
		return USAGE;
	}
	if (!f->sport && !is_icmp(f->protocol))
		f->sport = CLIENT_PORT;
	f->tcp_flags = o->has_flags ? o->flags : SYN;
	f->has_ports = !is_icmp(f->protocol);
	return DONE;
}

enum outcome explain_words(struct words *w, struct explain_wish *ret)
{
	struct options o = {};
	enum outcome outcome = take_client(w, &ret->frame);

	if (!outcome)
		outcome = take_destination(w, &ret->frame);
	if (!outcome)
		outcome = options_parse(w, options, 2, &o);
	if (!outcome)
		outcome = check(&ret->frame, &o);
	ret->dev = o.dev;
	return outcome;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * command.c - every command of lbctl: its words, and the function that does it.
 */
#include "command.h"

#include <stdio.h>
#include <string.h>

#include "change.h"
#include "report.h"

/* clang-format off */
static const struct command commands[] = {
	{ "status",  NULL,	.run = status_run },
	{ "stats",   NULL,	.run = stats_run },
	{ "doctor",  NULL,	.run = doctor_run },
	{ "save",    NULL,	.run = save_run },
	{ "apply",   NULL,	.run = apply_run },
	{ "clear",   NULL,	.run = clear_run },
	{ "trace",   NULL,	.run = trace_run },
	{ "explain", NULL,	.run = explain_run },
	{ "replay",  NULL,	.run = replay_run },

	{ "chain",   "show",	.run = chain_show },
	{ "chain",   "attach",	.edit = chain_attach, .is_chain = true },
	{ "chain",   "detach",	.edit = chain_detach, .is_chain = true },
	{ "chain",   "upgrade",	.run = NULL },
	{ "chain",   "load",	.run = chain_load },
	{ "chain",   "unload",	.run = chain_unload },

	{ "service", "show",	.run = service_show },
	{ "service", "add",	.edit = service_add },
	{ "service", "set",	.edit = service_set },
	{ "service", "replace",	.edit = service_replace },
	{ "service", "del",	.edit = service_del },

	{ "backend", "show",	.run = backend_show },
	{ "backend", "add",	.edit = backend_add },
	{ "backend", "set",	.edit = backend_set },
	{ "backend", "replace",	.edit = backend_replace },
	{ "backend", "drain",	.edit = backend_drain },
	{ "backend", "del",	.edit = backend_del },

	{ "policy",  "show",	.run = policy_show },
	{ "policy",  "set",	.edit = policy_set },
	{ "policy",  "load",	.run = policy_load, .edit = policy_load_edit },
	{ "policy",  "param",	.run = policy_param_run, .edit = policy_param },
	{ "policy",  "unload",	.run = policy_unload },
	{ "policy",  "new",	.run = policy_new },

	{ "flow",    "show",	.run = flow_show },
	{ "flow",    "count",	.run = flow_count },
	{ "flow",    "flush",	.run = flow_flush },
};
/* clang-format on */

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char help[] =
	"lbctl   := \"lbctl\" GLOBAL* [ OBJECT [VERB ARG*] | COMMAND ]     no argument: status\n"
	"GLOBAL  := -j|--json -p|--pretty -q|--quiet -v|--verbose -i|--instance NAME\n"
	"         | --pin-dir DIR -w|--wait TIME -b|--batch FILE -V|--version -h|--help\n"
	"chain   := attach DEV+ [mode native|skb] [priority N] [require dispatcher] [flows N]\n"
	"         | detach (DEV+ | all) | show [DEV] | unload DEV id ID\n"
	"         | load FILE DEV [prog NAME] [mode native|skb] [priority N] [maps DIR]\n"
	"service := (add|set|replace) SERVICE [forward MODE] [policy (NAME|default)] SOPT*\n"
	"         | del SERVICE [force] | show [SERVICE]\n"
	"SOPT    := persistence (flow|none|client [TIME]) | src (ADDR[/LEN],...|off) | ports LO-HI\n"
	"         | on-empty (reject|drop|pass) | on-unknown (auto|select|reset|drop)\n"
	"         | grace (TIME|off) | slow-start (TIME|off) | mss (N|off) | icmp-reply (on|off)\n"
	"         | timeout-(idle|half-open|closing|closed) TIME | comment TEXT\n"
	"backend := (add|set|replace) (SERVICE|all) BACKEND [weight 0..65535]\n"
	"           [state active|drain|down] [priority N] [max-flows N|off]\n"
	"         | drain (SERVICE|all) BACKEND [wait TIME]\n"
	"         | del (SERVICE|all) BACKEND [wait TIME|force] | show [SERVICE]\n"
	"policy  := set NAME [service SERVICE] | load FILE [name NAME] [replace] [force]\n"
	"         | unload NAME | new NAME | show [NAME]\n"
	"         | param match [(rule|no-rule) RULE service SERVICE] | param match service SERVICE\n"
	"         | param match rule none service SERVICE\n"
	"         | param NAME [PARAMETER (NUMBER|default)] [service SERVICE]\n"
	"RULE    := \"[len N|LO-HI] [at OFFSET = TEXT|0xHEX] backend BACKEND|:PORT\"\n"
	"flow    := show FILTER* [limit N] | count FILTER* | flush (FILTER+ | all)\n"
	"FILTER  := service SERVICE | backend BACKEND | client ADDR[/LEN] | state STATE\n"
	"         | reason REASON                                        (trace)\n"
	"STATE   := half-open | established | client-fin | backend-fin | closed\n"
	"         | datagram | answered | stream\n"
	"COMMAND := status | stats [SERVICE] [rate [TIME]] | doctor [DEV]\n"
	"         | trace FILTER* [sample N] [limit N] [write FILE.pcapng [snap BYTES]]\n"
	"         | explain CLIENT SERVICE [dev DEV] [flags F]\n"
	"         | explain FILE.pcap [dev DEV] [limit N] | replay FILE.pcap [FILE] [dev DEV]\n"
	"         | save | apply (FILE|-) [dry-run] [force] | clear\n"
	"SERVICE := IP[/LEN][:(PORT|LO-HI|any|*)]/(tcp|udp|icmp)          IPv6 in []\n"
	"BACKEND := IP[:PORT]                        the port defaults to the service's\n"
	"MODE    := fullnat | nat | dsr | ipip | gue | local\n"
	"TIME    := N[ms|s|m|h|d]                    bare = s\n"
	"\n"
	"'list' and 'delete' mean 'show' and 'del'; an object alone is shown; a file for\n"
	"--batch or apply has one command a line, '#' begins a comment.  See lbctl(8).\n";

void command_help(void)
{
	fputs(help, stdout);
}

static void report_unknown_object(const char *word)
{
	const char *words[N_COMMANDS];
	char miss[MISS_TEXT_SIZE];
	size_t i, n = 0;

	for (i = 0; i < N_COMMANDS; i++)
		if (!n || strcmp(words[n - 1], commands[i].object))
			words[n++] = commands[i].object;

	report("'%s': no such object or command%s (see 'lbctl -h')", word,
	       did_you_mean(word, words, n, miss));
}

static void report_unknown_verb(const char *object, const char *word)
{
	const char *words[N_COMMANDS];
	char miss[MISS_TEXT_SIZE];
	size_t i, n = 0;

	for (i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i].object, object))
			words[n++] = commands[i].verb;

	report("%s '%s': no such verb%s (see 'lbctl -h')", object, word,
	       did_you_mean(word, words, n, miss));
}

static const char *synonym(const char *verb)
{
	if (!strcmp(verb, "list"))
		return "show";
	if (!strcmp(verb, "delete"))
		return "del";
	return verb;
}

const struct command *command_find(struct words *w)
{
	const char *object = words_next(w), *verb = NULL, *word = NULL;
	bool known = false;
	size_t i;

	if (!object)
		object = "status";

	for (i = 0; i < N_COMMANDS; i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->object, object))
			continue;
		if (!c->verb)
			return c;
		if (!known) {
			known = true;
			word = words_next(w);
			verb = word ? synonym(word) : "show";
		}
		if (!strcmp(c->verb, verb))
			return c;
	}

	if (known)
		report_unknown_verb(object, word);
	else
		report_unknown_object(object);
	return NULL;
}

enum outcome command_run(const struct lbctl *l, struct words *w)
{
	const struct command *command = command_find(w);

	if (!command)
		return USAGE;
	if (command->run)
		return command->run(l, w);
	if (command->edit)
		return change_one(l, command, w);

	report("'%s%s%s': not built yet in this version", command->object,
	       command->verb ? " " : "", command->verb ? command->verb : "");
	return REFUSED;
}

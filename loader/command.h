/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * command.h - every command of lbctl: its words, and the function that does it.
 *
 * A command either changes (edit: it works on a model and may stand in a file) or does
 * something of its own (run).
 */
#ifndef LB_COMMAND_H
#define LB_COMMAND_H

#include <stdbool.h>
#include "state.h"
#include "words.h"

/* What the words before the command said. */
struct lbctl {
	struct state_options where;
	bool json;
	bool pretty;
	bool quiet;
	bool verbose;
};

struct change;

struct command {
	const char *object; /* or the one word of the command */
	const char *verb;   /* NULL: there is none */
	enum outcome (*run)(const struct lbctl *l, struct words *w);
	enum outcome (*edit)(struct change *c, struct words *w);
	bool is_chain; /* its edit comes before the instance is open */
};

/* Take a command's words off @w; NULL: no such command, reported. */
const struct command *command_find(struct words *w);
enum outcome command_run(const struct lbctl *l, struct words *w);
/* `lbctl -h` */
void command_help(void);

enum outcome status_run(const struct lbctl *l, struct words *w);
enum outcome stats_run(const struct lbctl *l, struct words *w);
enum outcome trace_run(const struct lbctl *l, struct words *w);
enum outcome explain_run(const struct lbctl *l, struct words *w);
enum outcome replay_run(const struct lbctl *l, struct words *w);
enum outcome doctor_run(const struct lbctl *l, struct words *w);
enum outcome save_run(const struct lbctl *l, struct words *w);
enum outcome apply_run(const struct lbctl *l, struct words *w);
enum outcome batch_run(const struct lbctl *l, const char *file);
enum outcome clear_run(const struct lbctl *l, struct words *w);

enum outcome chain_attach(struct change *c, struct words *w);
enum outcome chain_detach(struct change *c, struct words *w);
enum outcome chain_show(const struct lbctl *l, struct words *w);
enum outcome chain_load(const struct lbctl *l, struct words *w);
enum outcome chain_unload(const struct lbctl *l, struct words *w);

enum outcome service_add(struct change *c, struct words *w);
enum outcome service_set(struct change *c, struct words *w);
enum outcome service_replace(struct change *c, struct words *w);
enum outcome service_del(struct change *c, struct words *w);
enum outcome service_show(const struct lbctl *l, struct words *w);

enum outcome backend_add(struct change *c, struct words *w);
enum outcome backend_set(struct change *c, struct words *w);
enum outcome backend_replace(struct change *c, struct words *w);
enum outcome backend_drain(struct change *c, struct words *w);
enum outcome backend_del(struct change *c, struct words *w);
enum outcome backend_show(const struct lbctl *l, struct words *w);

enum outcome policy_set(struct change *c, struct words *w);
enum outcome policy_load_edit(struct change *c, struct words *w);
enum outcome policy_load(const struct lbctl *l, struct words *w);
enum outcome policy_param(struct change *c, struct words *w);
enum outcome policy_param_run(const struct lbctl *l, struct words *w);
enum outcome policy_show(const struct lbctl *l, struct words *w);
enum outcome policy_new(const struct lbctl *l, struct words *w);
enum outcome policy_unload(const struct lbctl *l, struct words *w);

enum outcome flow_show(const struct lbctl *l, struct words *w);
enum outcome flow_count(const struct lbctl *l, struct words *w);
enum outcome flow_flush(const struct lbctl *l, struct words *w);

#endif /* LB_COMMAND_H */

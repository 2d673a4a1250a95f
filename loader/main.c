// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - lbctl: the words before and between the command's, and the exit status.
 */
#include <bpf/libbpf.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "command.h"
#include "number.h"
#include "report.h"

#define LOCK_WAIT_MS  5000
#define LOCK_WAIT_MAX (3600 * 1000)

enum { OPTION_PIN_DIR = 256 };

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "pretty", no_argument, NULL, 'p' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "instance", required_argument, NULL, 'i' },
	{ "pin-dir", required_argument, NULL, OPTION_PIN_DIR },
	{ "wait", required_argument, NULL, 'w' },
	{ "batch", required_argument, NULL, 'b' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{},
};

struct command_line {
	struct lbctl lbctl;
	struct words words;
	const char *batch;
	bool help, version;
};

static int print_library(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	return vfprintf(stderr, format, args);
}

static int print_libxdp(enum libxdp_print_level level, const char *format, va_list args)
{
	(void)level;
	return vfprintf(stderr, format, args);
}

static int print_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int print_nothing_xdp(enum libxdp_print_level level, const char *format,
			     va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* The libraries' own messages are for who asks for them. */
static void quiet_libraries(bool verbose)
{
	libbpf_set_print(verbose ? print_library : print_nothing);
	libxdp_set_print(verbose ? print_libxdp : print_nothing_xdp);
}

static enum outcome unknown_option(const char *word)
{
	const char *names[sizeof(options) / sizeof(options[0])];
	char miss[MISS_TEXT_SIZE], *equals, copy[64];
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", word + strspn(word, "-"));
	equals = strchr(copy, '=');
	if (equals)
		*equals = '\0';
	while (options[n].name) {
		names[n] = options[n].name;
		n++;
	}
	report("'%s': no such option%s (see 'lbctl -h')", word,
	       word[1] == '-' ? did_you_mean(copy, names, n, miss) : "");
	return USAGE;
}

/* getopt_long takes beginnings of names, too; we do not. */
static bool is_whole_name(const char *word)
{
	size_t i, n;

	if (strncmp(word, "--", 2))
		return true;
	n = strcspn(word + 2, "=");
	for (i = 0; options[i].name; i++)
		if (strlen(options[i].name) == n &&
		    !strncmp(word + 2, options[i].name, n))
			return true;
	return false;
}

static enum outcome take_instance(struct lbctl *l, const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_-";

	if (!*name || strspn(name, allowed) != strlen(name) || strlen(name) > 64) {
		report("instance '%s': not made of 1 to 64 letters, digits, '-' and '_'",
		       name);
		return USAGE;
	}
	l->where.instance = name;
	return DONE;
}

static enum outcome take_pin_dir(struct lbctl *l, const char *dir)
{
	if (*dir != '/') {
		report("--pin-dir '%s': not an absolute path", dir);
		return USAGE;
	}
	l->where.pin_dir = dir;
	return DONE;
}

static enum outcome take_wait(struct lbctl *l, const char *value)
{
	__u64 ms;

	if (!time_parse(value, &ms) || ms > LOCK_WAIT_MAX) {
		report("--wait '%s': not a time up to 1h, as in 5s", value);
		return USAGE;
	}
	l->where.wait_ms = ms;
	return DONE;
}

static enum outcome take_option(struct command_line *c, int option)
{
	switch (option) {
	case 'j':
		c->lbctl.json = true;
		return DONE;
	case 'p':
		c->lbctl.json = c->lbctl.pretty = true;
		return DONE;
	case 'q':
		c->lbctl.quiet = true;
		return DONE;
	case 'v':
		c->lbctl.verbose = true;
		return DONE;
	case 'i':
		return take_instance(&c->lbctl, optarg);
	case OPTION_PIN_DIR:
		return take_pin_dir(&c->lbctl, optarg);
	case 'w':
		return take_wait(&c->lbctl, optarg);
	case 'b':
		c->batch = optarg;
		return DONE;
	case 'V':
		c->version = true;
		return DONE;
	default:
		c->help = true;
		return DONE;
	}
}

/*
 * Sort argv into options and words.  A word like -1 is a bad value, no option, which
 * getopt_long must not see: it is asked for one word at a time, in order ("-").
 */
static enum outcome read_arguments(int argc, char **argv, struct command_line *c)
{
	enum outcome outcome = DONE;

	opterr = 0;
	while (!outcome && optind < argc) {
		char *word = argv[optind];
		int option;

		if (word[0] == '-' && word[1] >= '0' && word[1] <= '9') {
			c->words.word[c->words.n++] = word;
			optind++;
			continue;
		}
		if (!is_whole_name(word) && strcmp(word, "--"))
			return unknown_option(word);

		option = getopt_long(argc, argv, "-:jpqvi:w:b:Vh", options, NULL);
		if (option < 0)
			break;
		if (option == 1) {
			c->words.word[c->words.n++] = optarg;
		} else if (option == ':') {
			report("'%s': its value is missing (see 'lbctl -h')", word);
			outcome = USAGE;
		} else if (option == '?') {
			outcome = unknown_option(word);
		} else {
			outcome = take_option(c, option);
		}
	}
	while (!outcome && optind < argc) /* after "--" */
		c->words.word[c->words.n++] = argv[optind++];
	return outcome;
}

static enum outcome run(struct command_line *c)
{
	if (c->help) {
		command_help();
		return DONE;
	}
	if (c->version) {
		printf("lbctl %s, abi %d\n", LB_VERSION, LB_ABI_VERSION);
		return DONE;
	}
	if (!c->batch)
		return command_run(&c->lbctl, &c->words);
	if (c->words.n) {
		report("'%s': --batch takes its commands from the file alone",
		       c->words.word[0]);
		return USAGE;
	}
	return batch_run(&c->lbctl, c->batch);
}

int main(int argc, char **argv)
{
	struct command_line c = { .lbctl.where.wait_ms = LOCK_WAIT_MS };
	enum outcome outcome;

	c.words.word = calloc(argc + 1, sizeof(*c.words.word));
	if (!c.words.word)
		return EXIT_FAILURE;

	outcome = read_arguments(argc, argv, &c);
	report_set(c.lbctl.quiet, c.lbctl.verbose);
	quiet_libraries(c.lbctl.verbose);
	if (!outcome)
		outcome = run(&c);
	free(c.words.word);

	if (fflush(stdout) || ferror(stdout)) {
		report("cannot write the output");
		outcome = outcome ? outcome : REFUSED;
	}
	return outcome == DONE ? EXIT_SUCCESS : outcome == USAGE ? 2 : EXIT_FAILURE;
}

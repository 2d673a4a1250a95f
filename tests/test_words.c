// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_words - the words of a command, the lines of a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "edit.h"
#include "words.h"

static void close_misses_are_suggested(void **state)
{
	static const char *const words[] = { "round-robin", "hash", "weighted" };
	char miss[MISS_TEXT_SIZE];

	(void)state;
	assert_string_equal(did_you_mean("weigthed", words, 3, miss),
			    "; did you mean 'weighted'?");
	assert_string_equal(did_you_mean("hsah", words, 3, miss),
			    "; did you mean 'hash'?");
	assert_string_equal(did_you_mean("wrr", words, 3, miss),
			    "; did you mean 'weighted'?");
	assert_string_equal(did_you_mean("rr", words, 3, miss),
			    "; did you mean 'round-robin'?");
	assert_string_equal(did_you_mean("maglev", words, 3, miss),
			    "; did you mean 'hash'?");
	assert_string_equal(did_you_mean("round_robin", words, 3, miss),
			    "; did you mean 'round-robin'?");
	assert_string_equal(did_you_mean("round", words, 3, miss),
			    "; did you mean 'round-robin'?");
	assert_string_equal(did_you_mean("elephant", words, 3, miss), "");
	assert_string_equal(did_you_mean("", words, 3, miss), "");
	assert_string_equal(
		did_you_mean("a-word-that-is-far-longer-than-any-keyword-of-ours", words,
			     3, miss),
		"");
}

static void files_are_lines_of_words(void **state)
{
	struct script s;

	(void)state;
	assert_int_equal(edit_read("# a comment\n"
				   "\n"
				   "  service add\t10.0.0.1:80/tcp # and more\r\n"
				   "lbctl policy set hash\n"
				   "x \"two words\" \"a \\\"q\\\" \\\\\" \"\" a#b",
				   &s),
			 DONE);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.lines[0].number, 3);
	assert_int_equal(s.lines[0].words.n, 3);
	assert_string_equal(s.lines[0].words.word[2], "10.0.0.1:80/tcp");
	assert_int_equal(s.lines[1].words.at, 1);
	assert_int_equal(s.lines[2].words.n, 5);
	assert_string_equal(s.lines[2].words.word[1], "two words");
	assert_string_equal(s.lines[2].words.word[2], "a \"q\" \\");
	assert_string_equal(s.lines[2].words.word[3], "");
	assert_string_equal(s.lines[2].words.word[4], "a#b");
	script_free(&s);

	assert_int_equal(edit_read("", &s), DONE);
	assert_int_equal(s.n, 0);
	script_free(&s);
	assert_int_equal(edit_read("service \"open\n", &s), REFUSED);
	assert_int_equal(script_read("/nonexistent/file", &s), REFUSED);
}

static void what_is_quoted_reads_as_it_was(void **state)
{
	static const char *const texts[] = { "plain",	    "two words", "",
					     "#no comment", "a\"b\\c",	 "\"",
					     "tab\there" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char line[128], *quoted = script_quote(texts[i]);
		struct script s;

		snprintf(line, sizeof(line), "comment %s end\n", quoted);
		free(quoted);
		assert_int_equal(edit_read(line, &s), DONE);
		assert_int_equal(s.lines[0].words.n, 3);
		assert_string_equal(s.lines[0].words.word[1], texts[i]);
		script_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_misses_are_suggested),
		cmocka_unit_test(files_are_lines_of_words),
		cmocka_unit_test(what_is_quoted_reads_as_it_was),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}

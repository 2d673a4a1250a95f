// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_policy_object.c - which files become policies of an instance, and what becomes of
 * the tables when one is replaced.
 */
#include "instance.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static size_t read_file(const char *path, void *data, size_t size)
{
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	size = fread(data, 1, size, f);
	fclose(f);
	return size;
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

/* Whoever has its name goes. */
static int load_policy(const char *path, __u32 *ret_slot)
{
	struct policy_load p = { .path = path, .replace = true };
	int err = state_load_policy(&state, &p);

	*ret_slot = p.slot;
	return err;
}

static void only_policies_of_this_abi_are_loaded(void **arg)
{
	static char image[1 << 20];
	char path[PATH_MAX], cut[64], *magic;
	const __u32 mark = LB_POLICY_MAGIC;
	__u32 slot, again;
	int shipped = 0;
	size_t size;

	(void)arg;
	while (state.policies[shipped].meta.magic)
		shipped++;
	snprintf(cut, sizeof(cut), "/tmp/swy-test-%d.bpf.o", getpid());
	snprintf(path, sizeof(path), "%s/policies/hash.bpf.o", build);
	assert_int_equal(load_policy(path, &slot), 0);
	assert_int_equal(load_policy(path, &again), 0);
	assert_int_equal(slot, again);

	size = read_file(path, image, sizeof(image));
	for (size_t n = 0; n < size; n += 1 + size / 50) {
		write_file(cut, image, n);
		assert_int_not_equal(load_policy(cut, &slot), 0);
	}
	magic = memmem(image, size, &mark, sizeof(mark));
	assert_non_null(magic);
	magic[4]++; /* its abi */
	write_file(cut, image, size);
	assert_int_not_equal(load_policy(cut, &slot), 0);
	unlink(cut);

	snprintf(path, sizeof(path), "%s/progs/lb_entry.bpf.o", build);
	assert_int_not_equal(load_policy(path, &slot), 0);
	for (int i = 0; i < LB_MAX_POLICIES; i++)
		assert_true(!state.policies[i].meta.magic == (i >= shipped));
}

static void a_policy_that_promises_something_else_has_its_tables_made_anew(void **arg)
{
	static char image[1 << 20];
	char path[PATH_MAX], cut[64];
	const __u32 mark = LB_POLICY_MAGIC;
	struct lb_policy_meta *meta, copy;
	__u32 slot, generation;
	size_t size;

	(void)arg;
	add_services(1);
	generation = read_header(0).generation;
	snprintf(path, sizeof(path), "%s/policies/round_robin.bpf.o", build);
	size = read_file(path, image, sizeof(image));
	assert_int_equal(load_policy(path, &slot), 0);
	assert_int_equal(read_header(0).generation, generation);

	meta = memmem(image, size, &mark, sizeof(mark));
	assert_non_null(meta);
	memcpy(&copy, meta, sizeof(copy));
	copy.promises ^= LB_PROMISE_EVEN;
	memcpy(meta, &copy, sizeof(copy));
	snprintf(cut, sizeof(cut), "/tmp/swy-test-%d.bpf.o", getpid());
	write_file(cut, image, size);
	assert_int_equal(load_policy(cut, &slot), 0);
	unlink(cut);
	assert_int_equal(read_header(0).promises, copy.promises);
	assert_int_equal(read_header(0).generation, generation + 1);
	assert_int_equal(state.config->dirty, 0);
	instance_check();
}

int main(void)
{
#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)
	const struct CMUnitTest tests[] = {
		TEST(only_policies_of_this_abi_are_loaded),
		TEST(a_policy_that_promises_something_else_has_its_tables_made_anew),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

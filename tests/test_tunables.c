// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_tunables.c - what a policy declares and its user sets, from lbctl's model to the
 * program.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "instance.h"
#include "policy.h"
#include "tunables.h"

#define FILE_NAME "tests/policies/told.bpf.o"
enum { SLOT, PLUS };

/* ---- the program ---------------------------------------------------------------------- */

static void tell(__u32 element, struct lb_tunables t)
{
	int map = stage_map(&policy_stage, "tunables");

	assert_int_equal(bpf_map_update_elem(map, &element, &t, 0), 0);
}

static void a_value_counts_where_it_is_set(void **arg)
{
	struct policy_service *s = policy_service_make(10);

	(void)arg;
	policy_use("../tests/policies/told");
	policy_install(s, LB_TABLE_UNIFORM);
	assert_int_equal(policy_choose(1, 4), 1 + 2); /* a map that nobody has filled */
	tell(SERVICE_ID, (struct lb_tunables){ .value = { 5, 3 } });
	assert_int_equal(policy_choose(1, 4), 1 + 2);
	tell(SERVICE_ID, (struct lb_tunables){ .value = { 5, 3 }, .set = 1 << SLOT });
	assert_int_equal(policy_choose(1, 4), 1 + 5);
	tell(SERVICE_ID, (struct lb_tunables){ .value = { 5, 3 }, .set = 3 });
	assert_int_equal(policy_choose(1, 6), 1 + 8);
	tell(SERVICE_ID + 1, (struct lb_tunables){ .value = { 9, 9 }, .set = 3 });
	tell(LB_MAX_SERVICES, (struct lb_tunables){ .value = { 9, 9 }, .set = 3 });
	assert_int_equal(policy_choose(1, 4), 1 + 8); /* its own element, and no other */
	free(s);
}

/* ---- an instance ---------------------------------------------------------------------- */

static char image[1 << 20], file[64];
static size_t image_size;
static __u32 slot;

static void read_image(void)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/" FILE_NAME, build);
	snprintf(file, sizeof(file), "/tmp/swy-test-%d.bpf.o", getpid());
	f = fopen(path, "re");
	assert_non_null(f);
	image_size = fread(image, 1, sizeof(image), f);
	fclose(f);
}

/* What the image declares, to be changed. */
static struct lb_tunable *declared(const char *name)
{
	char wanted[LB_NAME_SIZE] = "";
	struct lb_tunable *t;

	strcpy(wanted, name);
	t = memmem(image, image_size, wanted, sizeof(wanted));
	assert_non_null(t);
	return t;
}

static int load_image(void)
{
	struct policy_load p = { .path = file, .replace = true };
	FILE *f = fopen(file, "we");
	int err;

	assert_non_null(f);
	assert_int_equal(fwrite(image, 1, image_size, f), image_size);
	fclose(f);
	err = state_load_policy(&state, &p);
	slot = err ? slot : p.slot;
	unlink(file);
	return err;
}

static int setup(void **arg)
{
	int err = instance_setup(arg);

	if (err)
		return err;
	read_image();
	return load_image();
}

/* Element @id of the policy's map. */
static struct lb_tunables element(__u32 id)
{
	int fd = tunables_open(&state, slot);
	struct lb_tunables *all = fd < 0 ? NULL : tunables_map(fd), ret;

	assert_non_null(all);
	ret = all[id];
	tunables_unmap(all);
	close(fd);
	return ret;
}

static void assert_told(__u32 id, __u32 key, bool set, bool own, __u64 value)
{
	const struct lb_tunables e = element(id);

	assert_int_equal(e.set >> key & 1, set);
	assert_int_equal(e.own >> key & 1, own);
	if (set)
		assert_int_equal(e.value[key], value);
}

static void set_for_all(__u32 key, __u64 value)
{
	to.policies[slot].set |= 1U << key;
	to.policies[slot].value[key] = value;
}

/* Services 0 to 4; `slot` is 7 for all and 9 for service 3, `plus` 1 for service 3. */
static void set_some(void)
{
	add_services(5);
	change_begin();
	set_for_all(SLOT, 7);
	assert_int_equal(param_set(&to.services[3], slot, PLUS, 1), 0);
	assert_int_equal(param_set(&to.services[3], slot, SLOT, 9), 0);
	assert_int_equal(to.services[3].id, 3);
	change_end();
}

static void check_some(void)
{
	assert_told(0, SLOT, true, false, 7);
	assert_told(0, PLUS, false, false, 0);
	assert_told(3, SLOT, true, true, 9);
	assert_told(3, PLUS, true, true, 1);
	assert_told(77, SLOT, true, false, 7); /* no service yet */
	assert_told(LB_MAX_SERVICES, SLOT, true, true, 7);
	assert_told(LB_MAX_SERVICES, PLUS, false, false, 0);
	change_begin();
	assert_int_equal(from.policies[slot].set, 1 << SLOT);
	assert_int_equal(from.policies[slot].value[SLOT], 7);
	assert_int_equal(from.services[2].n_params, 0);
	assert_int_equal(from.services[3].n_params, 2);
	assert_int_equal(param_find(&from.services[3], slot, SLOT)->value, 9);
	assert_int_equal(param_find(&from.services[3], slot, PLUS)->value, 1);
	change_end();
}

static void each_service_has_its_own_value_or_that_of_all(void **arg)
{
	(void)arg;
	assert_string_equal(state.policies[slot].tunables[SLOT].name, "slot");
	assert_int_equal(state.policies[slot].tunables[SLOT].high, 1000);
	assert_string_equal(state.policies[slot].tunables[2].name, "");
	set_some();
	check_some();

	change_begin();
	to.policies[slot].set = 0;
	param_unset(&to.services[3], slot, SLOT);
	change_end();
	assert_told(0, SLOT, false, false, 0);
	assert_told(3, SLOT, false, false, 0);
	assert_told(3, PLUS, true, true, 1);
	assert_told(77, SLOT, false, false, 0);
}

static void a_new_service_inherits_nothing_from_one_that_is_gone(void **arg)
{
	(void)arg;
	set_some();
	change_begin();
	model_del_service(&to, &to.services[3]);
	change_end();
	assert_told(3, SLOT, true, false, 7);
	assert_told(3, PLUS, false, false, 0);

	change_begin();
	param_set(add_service(&to, address4(0x0a010101), 80, IPPROTO_TCP), slot, PLUS, 4);
	change_end();
	assert_told(5, SLOT, true, false, 7);
	assert_told(5, PLUS, true, true, 4);
}

static void what_is_set_outlives_a_new_version(void **arg)
{
	(void)arg;
	set_some();
	assert_int_equal(load_image(), 0);
	assert_int_equal(state.config->dirty, 0);
	check_some();

	/* Another order, another range and another name. */
	declared("slot")->high = 8;
	declared("slot")->name[0] = 'b'; /* blot */
	strcpy(declared("plus")->name, "slot");
	declared("blot")->name[1] = 'o'; /* boot */
	assert_int_equal(load_image(), 0);
	assert_told(0, PLUS, true, false, 7);
	assert_told(0, SLOT, false, false, 0);
	assert_told(3, PLUS, true, true, 9);
	assert_told(3, SLOT, false, false, 0); /* was plus, which is no more */

	declared("slot")->high = 8;
	assert_int_equal(load_image(), 0);
	assert_told(3, PLUS, true, false, 7); /* 9 is too much now */
	assert_told(LB_MAX_SERVICES, PLUS, true, true, 7);
}

static void a_load_that_was_cut_short_leaves_no_wrong_map(void **arg)
{
	(void)arg;
	set_some();
	state.policies[slot].tunables_program++;
	state.config->dirty = 1;
	instance_reopen();
	assert_string_equal(state.policies[slot].tunables[0].name, "");
	assert_int_equal(tunables_open(&state, slot), -ENOENT);
	instance_check();

	assert_int_equal(load_image(), 0);
	assert_told(0, SLOT, false, false, 0);
	assert_told(3, PLUS, false, false, 0);
}

static void what_was_half_written_is_made_anew(void **arg)
{
	struct lb_tunables *all;
	int fd;

	(void)arg;
	set_some();
	fd = tunables_open(&state, slot);
	all = tunables_map(fd);
	all[2].value[SLOT] = 4;	       /* was to become its own */
	all[77].set = all[77].own = 3; /* was to be a service */
	all[3].value[SLOT] = 9;
	tunables_unmap(all);
	close(fd);
	state.config->dirty = 1;
	instance_reopen();
	check_some();
	assert_told(2, SLOT, true, false, 7);
	assert_told(77, PLUS, false, false, 0);
}

static void without_its_pin_a_policy_has_no_parameters(void **arg)
{
	char path[PATH_MAX];

	(void)arg;
	set_some();
	snprintf(path, sizeof(path), "%s/maps/lb_tunables_%u", pin_dir, slot);
	assert_return_code(unlink(path), errno);
	change_begin();
	assert_string_equal(to.policies[slot].info.tunables[0].name, "");
	assert_int_equal(to.services[3].n_params, 0);
	change_end();
	assert_int_equal(load_image(), 0);
	assert_told(3, SLOT, false, false, 0);
}

/* What an object may not declare, made by changing one word of a good one. */
static void name_is_no_word(void)
{
	declared("plus")->name[1] = '_';
}

static void name_is_a_keyword(void)
{
	strcpy(declared("plus")->name, "service");
}

static void two_of_a_name(void)
{
	strcpy(declared("plus")->name, "slot");
}

static void initial_below(void)
{
	declared("slot")->low = 3;
}

static void initial_above(void)
{
	declared("slot")->initial = 1001;
}

static void too_large(void)
{
	declared("slot")->high = 1ULL << 63;
}

static void help_without_end(void)
{
	memset(declared("slot")->help, 'x', sizeof(declared("slot")->help));
}

static void what_makes_no_sense_is_refused_and_the_old_one_stays(void **arg)
{
	static void (*const spoil[])(void) = { name_is_no_word, name_is_a_keyword,
					       two_of_a_name,	initial_below,
					       initial_above,	too_large,
					       help_without_end };
	__u32 program;

	(void)arg;
	set_some();
	program = state.policies[slot].program;
	for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		read_image();
		spoil[i]();
		assert_int_equal(load_image(), -EINVAL);
		assert_int_equal(state.policies[slot].program, program);
		assert_int_equal(state.config->dirty, 0);
		check_some();
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, instance_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_value_counts_where_it_is_set, policy_close),
		TEST(each_service_has_its_own_value_or_that_of_all),
		TEST(a_new_service_inherits_nothing_from_one_that_is_gone),
		TEST(what_is_set_outlives_a_new_version),
		TEST(a_load_that_was_cut_short_leaves_no_wrong_map),
		TEST(what_was_half_written_is_made_anew),
		TEST(without_its_pin_a_policy_has_no_parameters),
		TEST(what_makes_no_sense_is_refused_and_the_old_one_stays),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

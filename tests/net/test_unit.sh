#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# test_unit.sh - switchyard.service: what is stopped comes back at start as it was, also
# after a reboot.
#
# There may be no systemd here, so the unit's commands are run as it would run them: one
# after the other until one fails.
set -u

# shellcheck source=tests/net/lab.sh
. "$(dirname "$0")/lab.sh"
# shellcheck source=tests/net/tap.sh
. "$(dirname "$0")/tap.sh"

service=10.0.0.10:8000/tcp

# unit_make: the unit as it would be installed, for a folder and an lbctl of our own.
unit_make()
{
	mkdir -p "$lab_tmp/sbin" "$conf" || return 1
	cat >"$lab_tmp/sbin/lbctl" <<-END
		#!/bin/sh
		exec nsenter --net=/run/netns/$lab_id-lb -- \\
			$lab_build/lbctl -q --pin-dir $lab_pins "\$@"
	END
	chmod +x "$lab_tmp/sbin/lbctl"
	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$lab_top" O="$lab_tmp/make" \
		SBINDIR="$lab_tmp/sbin" SYSCONFDIR="$lab_tmp/etc" "$unit"
}

# unit_run KEY: its commands.
unit_run()
{
	local command

	while read -r command; do
		sh -c "$command" </dev/null || return
	done < <(sed -n "s/^$1=//p" "$unit")
}

answers()
{
	on client curl -sS -m 5 10.0.0.10:8000
}

set_up()
{
	lab_attach skb
	lbctl service add "$service" forward fullnat comment 'two words' &&
		lbctl backend add "$service" 10.0.0.2:8000 weight 3 &&
		lbctl backend add "$service" 10.0.0.3:8000 state drain &&
		lbctl policy set hash && is "$(answers)" b2
}

stop_saves_and_detaches()
{
	unit_run ExecStop && cat "$conf/lb.conf" && ! answers &&
		grep -qx 'chain attach eth0 mode skb' "$conf/lb.conf" &&
		grep -qx "service add $service forward fullnat comment \"two words\"" \
			"$conf/lb.conf"
}

# The pins of a machine that was off are gone.
start_after_reboot()
{
	lbctl clear && ! [ -e "$lab_pins" ] && unit_run ExecStart &&
		is "$(lbctl save)" "$(cat "$conf/lb.conf")" && is "$(answers)" b2
}

start_after_stop()
{
	unit_run ExecStop && unit_run ExecStart &&
		is "$(lbctl save)" "$(cat "$conf/lb.conf")" && is "$(answers)" b2
}

reload_goes_back_to_the_file()
{
	lbctl backend set "$service" 10.0.0.2:8000 weight 9 && unit_run ExecReload &&
		is "$(lbctl save)" "$(cat "$conf/lb.conf")"
}

stop_keeps_the_former_file()
{
	cp "$conf/lb.conf" "$lab_tmp/former" &&
		lbctl backend set "$service" 10.0.0.2:8000 weight 9 &&
		unit_run ExecStop && grep -q 'weight 9$' "$conf/lb.conf" &&
		cmp "$conf/lb.conf.old" "$lab_tmp/former"
}

failed_save_leaves_the_file()
{
	cp "$conf/lb.conf" "$lab_tmp/former" && lbctl clear && ! unit_run ExecStop &&
		cmp "$conf/lb.conf" "$lab_tmp/former"
}

lab_open
conf=$lab_tmp/etc/switchyard
unit=$lab_tmp/make/dist/switchyard.service
lab_basic 2 3
check 'the unit is made for the prefix it is installed to' unit_make
check 'a service balances before' set_up
check 'stop saves what runs and detaches' stop_saves_and_detaches
check 'start brings it back after a reboot' start_after_reboot
check 'start brings it back after a stop' start_after_stop
check 'reload makes what runs what the file says' reload_goes_back_to_the_file
check 'stop keeps the file that was there before a change' stop_keeps_the_former_file
check 'stop leaves the file alone if nothing can be saved' failed_save_leaves_the_file
tap_end

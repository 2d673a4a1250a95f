# SPDX-License-Identifier: GPL-2.0-only
#
# http.jq - two rows for each case that http.sh measured: medians over the rounds.
#
# A ratio is the median of the rounds' own ratios: what slows the machine down for a while
# slows down both.  Those of the best compare the fastest turn of each.

def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
def digits: . * 1000 | round / 1000;
def turns_of($name; $close): [$turns[] | select(.name == $name and .close == $close)];

# Of each turn the ratio to the turn of $peer in the same round.
def ratio($peer):
	[.[] | . as $t
	 | .per_s / (turns_of($peer; .close)[] | select(.round == $t.round)).per_s]
	| median | digits;

def ratio_best($peer):
	([.[].per_s] | max) / ([turns_of($peer; .[0].close)[].per_s] | max) | digits;

# Requests that were answered, and passed our chain if that is claimed: with one packet each
# at the least; where each is a connection, with a SYN, the request and a FIN.
def verified:
	([.[].requests] | add) as $requests | ([.[].errors] | add) as $errors
	| (([.[].packets] | add) / if .[0].close then 3 else 1 end) as $ours
	| ([$requests - $errors, if .[0].host == "lb" then $ours else $requests end] | min)
	  / ([$requests, 1] | max);

def row:
	.[0] as $first
	| (if $first.close then "connections" else "requests" end) as $what
	| { case: "http-\($what)-\($first.name)", family: "ipv4" }
	+ if $first.host == "lb" then { mode: $first.name } else {} end
	+ { "\($what)_per_s": ([.[].per_s] | median | round),
	    "\($what)_per_s_best": ([.[].per_s] | max | round),
	    us_median: ([.[].us_median] | median), rounds: length,
	    verified_share: (verified * 100000 | floor / 100000),
	    against: "http-\($what)-direct", ratio: ratio("direct"),
	    ratio_best: ratio_best("direct"),
	    ratio_forwarding: ratio("forwarding"), ratio_nftables: ratio("nftables"),
	    ratio_haproxy: ratio("haproxy"), ratio_haproxy_best: ratio_best("haproxy") };

# In the order in which they were measured.
[$turns[] | select(.round == 0) | {name, close}] as $cases
| (false, true) as $close | $cases[] | select(.close == $close)
| turns_of(.name; $close) | row
| ., if .verified_share < 0.999 then
	("\(.case): only \(.verified_share) of the requests went that way\n" | halt_error(1))
     else empty end

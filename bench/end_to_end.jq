# SPDX-License-Identifier: GPL-2.0-only
#
# end_to_end.jq - a row for each case that end_to_end.sh measured: medians over the rounds.
#
# A ratio is the median of the rounds' own ratios: what slows the machine down for a while
# slows down both.  Those of the best compare the fastest 16,384 packets of each case, which
# nothing has disturbed.

def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
def digits: . * 1000 | round / 1000;
def turns_of($name): [$turns[] | select(.name == $name)];
def best($name): [turns_of($name)[].best] | max;

# Of each turn of $mine the ratio to the turn of $peer in the same round.
def ratio($mine; $peer):
	[turns_of($mine)[] | . as $t
	 | $t.mpps / (turns_of($peer)[] | select(.round == $t.round)).mpps]
	| median | digits;
def ratio_best($mine; $peer): best($mine) / best($peer) | digits;

# What went the way that is claimed: arrived where it should, of known flows if it was us.
def verified:
	([.[].arrived] | add) as $arrived | ([.[].known] | add) as $known
	| (if .[0].host == "lb" then [$arrived, $known] else [$arrived] end | min)
	  / ([.[].sent] | add);

def row:
	.[0].name as $name
	| (if $name | endswith("-udp") then "nftables-udp" else "nftables" end) as $peer
	| { case: "end-to-end-\($name)", family: "ipv4", flows: $flows, bytes: 64 }
	+ if .[0].host == "lb" then { mode: ($name | rtrimstr("-udp")) } else {} end
	+ { mpps: ([.[].mpps] | median | digits), mpps_best: (best($name) | digits),
	    rounds: length, verified_share: (verified * 100000 | floor / 100000),
	    against: "end-to-end-\($peer)", ratio: ratio($name; $peer),
	    ratio_best: ratio_best($name; $peer), ratio_floor: ratio($name; "floor"),
	    ratio_floor_best: ratio_best($name; "floor") };

# In the order in which they were measured.
[$turns[] | select(.round == 0).name] as $names
| $names[] | turns_of(.) | row
| ., if .verified_share < 0.999 then
	("\(.case): only \(.verified_share) of the packets went that way\n" | halt_error(1))
     else empty end

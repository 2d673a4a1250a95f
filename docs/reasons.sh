#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# reasons.sh - copy stdin to stdout; the line "@REASONS@" becomes the table of LB_REASONS.
#
# So lbctl(8) tells the reasons that the data path was built with (include/lb/reasons.h).
set -eu

reasons()
{
	{
		echo '#include <lb/abi.h>'
		echo '#define X(id, name, verdict, meaning) @@ name verdict meaning'
		echo 'LB_REASONS(X)'
	} | ${CC:-cc} -E -P -Iinclude - | tr -s ' \n' ' ' | sed -e 's/[*_]/\\&/g' -e 's/@@ /\n/g' |
		awk -F '"' '
		BEGIN { print "|[ *REASON*\n:[ *VERDICT*\n:[ *MEANS*" }
		/^"/ { printf "|  %s\n:  %s\n:  %s\n", $2, $4, $6 }'
}

table=$(reasons)
[ "$(echo "$table" | wc -l)" -gt 3 ] || {
	echo "reasons.sh: no reasons found in lb/abi.h" >&2
	exit 1
}

while IFS= read -r line; do
	case $line in
	@REASONS@) printf '%s\n' "$table" ;;
	*) printf '%s\n' "$line" ;;
	esac
done

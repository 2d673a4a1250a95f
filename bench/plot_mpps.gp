# SPDX-License-Identifier: GPL-2.0-only
#
# plot_mpps.gp - packets a second of each peer: build/bench-mpps.dat as build/bench-mpps.svg.
#
#	gnuplot -e "build='build'" bench/plot_mpps.gp

set terminal svg size 720,420 font 'sans,12' background '#ffffff'
set grid y linecolor '#dddddd'
set border 3
set tics nomirror
set yrange [0:*]

set output build . '/bench-mpps.svg'
set title 'millions of packets a second, one core'
set ylabel 'Mpps'
unset xlabel
unset key
set style fill solid 0.8
set boxwidth 0.6
plot build . '/bench-mpps.dat' using 0:2:xtic(1) with boxes linecolor '#4477aa', \
	'' using 0:2:(sprintf('%.2f', $2)) with labels offset 0, 0.6

# SPDX-License-Identifier: GPL-2.0-only
#
# plot_flows.gp - ns per packet over flows: build/bench-flows.dat as build/bench-flows.svg.
#
#	gnuplot -e "build='build'" bench/plot_flows.gp

set terminal svg size 720,420 font 'sans,12' background '#ffffff'
set grid y linecolor '#dddddd'
set border 3
set tics nomirror
set datafile missing '-'
set yrange [0:*]

set output build . '/bench-flows.svg'
set title 'ns per packet over the number of flows that take turns'
set ylabel 'ns'
set xlabel 'flows'
set key top left
set style data linespoints
set offsets 0.2, 0.2, 0, 0
plot for [i = 2:6] build . '/bench-flows.dat' using 0:i:xtic(1) linewidth 2 pointtype 7 \
	title columnheader(i)

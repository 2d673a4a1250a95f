-- SPDX-License-Identifier: GPL-2.0-only
--
-- http.lua - what wrk asks, and what it says in the end: one JSON object.
--
-- Threads share what is in $ADDRESSES, as a balancer would; with $CLOSE each request is a
-- connection of its own.

local addresses = {}
local n = 0

for address in string.gmatch(os.getenv("ADDRESSES"), "%S+") do
	local found = wrk.lookup(address, os.getenv("PORT"))
	addresses[#addresses + 1] = found[1]
end

function setup(thread)
	thread.addr = addresses[n % #addresses + 1]
	n = n + 1
end

if os.getenv("CLOSE") then
	wrk.headers["Connection"] = "close"
end

function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format(
		'{"requests": %d, "per_s": %.1f, "errors": %d, "us_median": %.1f, "us_99": %.1f}\n',
		summary.requests, summary.requests / summary.duration * 1e6,
		e.connect + e.read + e.write + e.status + e.timeout,
		latency:percentile(50), latency:percentile(99)))
end

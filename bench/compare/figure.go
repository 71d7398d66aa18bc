package main

import "fmt"

// figure is a row of the comparison between two processes.
type figure struct {
	work, name, unit string
	more             bool // is better
	bars             []bar
}

// bar is what a figure of Topos is measured against: a multiple of the floor's,
// of the best peer's, of another figure of Topos, or a number.
type bar struct {
	times float64
	of    string // ofFloor, ofPeer, the name of a figure, or empty
}

const (
	ofFloor = "floor"
	ofPeer  = "peer"
)

// figures are the rows, in order.
var figures = []figure{
	{"oneway", "oneway", "msg/s", true, []bar{{2.5, ofPeer}}},
	{"oneway_bytes", "oneway_bytes", "msg/s", true, nil},
	{"oneway_struct", "oneway_struct", "msg/s", true, nil},
	{"oneway", "oneway_send_allocs", "count", false, []bar{{2, ""}}},
	{"oneway", "oneway_recv_allocs", "count", false, []bar{{2, ""}}},
	{"pairs16", "pairs16", "msg/s", true, []bar{{2.5, ofPeer}}},
	{"request", "request_p50", "us", false, []bar{{1.2, ofFloor}, {0.9, ofPeer}}},
	{"request", "request_p99", "us", false, nil},
	{"bulk64k", "bulk64k", "MB/s", true, []bar{{0.7, ofFloor}}},
	{"bulk512k", "bulk512k", "MB/s", true, []bar{{0.7, ofFloor}}},
	{"bulk512k_lent", "bulk512k_lent", "MB/s", true, []bar{{1, ofPeer}}},
	{"ping_other", "ping_p99_other", "us", false, []bar{{2, ofFloor}}},
	{"ping_other", "ping_p50_other", "us", false, []bar{{3, "ping_p50_idle"}}},
	{"ping_other", "ping_p50_idle", "us", false, nil},
	{"ping_other", "ping_bulk_other", "MB/s", true, nil},
	{"ping_same", "ping_p99_same", "us", false, []bar{{5000, ""}}},
	{"ping_same", "ping_p50_same", "us", false, nil},
	{"ping_same", "ping_bulk_same", "MB/s", true, nil},
	{"default_lost", "default_lost", "count", false, []bar{{0, ""}}},
}

// text is the bar as one reads it.
func (b bar) text(more bool) string {
	sign := "≤"
	if more {
		sign = "≥"
	}
	if b.of == "" {
		return fmt.Sprintf("%s %g", sign, b.times)
	}
	return fmt.Sprintf("%s %g × %s", sign, b.times, b.of)
}

// met says whether value reaches the bar, given what it is a multiple of.
func (b bar) met(more bool, value, of float64) bool {
	limit := b.times
	if b.of != "" {
		limit *= of
	}
	if more {
		return value >= limit
	}
	return value <= limit
}

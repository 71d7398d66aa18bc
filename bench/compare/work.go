package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/topos-go/topos/bench/floor"
	"github.com/topos-go/topos/bench/measure"
	"github.com/topos-go/topos/bench/works"
)

// work is one thing that all sides do.
type work struct {
	name, unit   string
	n, quick     int // operations
	topos, floor func(n int) (measure.Result, error)
}

var all = []work{
	{"tell", "ns", 10_000_000, 4_000_000, works.Tell, floor.Tell},
	{"fanin", "ns", 8_000_000, 3_000_000, works.FanIn, floor.FanIn},
	{"busy", "ns", 6_000_000, 2_000_000, works.Busy, floor.Busy},
	{"call", "ns", 600_000, 200_000, works.Call, floor.Call},
	{"spawn", "ns", 500_000, 100_000, works.Spawn, floor.Spawn},
	{"idle_bytes", "B", 20_000, 5_000, works.IdleBytes, floor.IdleBytes},
	{"restart", "ns", 2_000, 500, works.Restart, nil},
}

// peerLimit keeps slow peers from taking all the time.
var peerLimit = map[string]int{"call": 200_000, "spawn": 50_000, "idle_bytes": 5_000, "restart": 500}

func find(name string) (work, bool) {
	i := slices.IndexFunc(all, func(w work) bool { return w.name == name })
	if i < 0 {
		return work{}, false
	}
	return all[i], true
}

func choose(only string) ([]work, error) {
	if only == "" {
		return all, nil
	}
	var chosen []work
	for name := range strings.SplitSeq(only, ",") {
		w, ok := find(name)
		if !ok {
			return nil, fmt.Errorf("unknown work %q", name)
		}
		chosen = append(chosen, w)
	}
	return chosen, nil
}

// row is what all sides needed for one work, in the order of the sides. A side
// that could not do it has no result.
type row struct {
	work
	results []*measure.Result
}

// compare lets the sides take turns at w.
func (w work) compare(sides []side, rounds int, quick bool) (row, error) {
	n := w.n
	if quick {
		n = w.quick
	}
	seen := make([][]measure.Result, len(sides))
	for range rounds {
		for i, s := range sides {
			if s.err != nil || s.name == "floor" && w.floor == nil {
				continue
			}
			ops := n
			if limit := peerLimit[w.name]; i > 1 && limit > 0 {
				ops = min(ops, limit)
			}
			r, err := s.measure(w.name, ops)
			if err != nil {
				return row{}, fmt.Errorf("%s with %s: %w", w.name, s.name, err)
			}
			seen[i] = append(seen[i], r)
		}
	}
	out := row{work: w}
	for _, results := range seen {
		out.results = append(out.results, medians(results))
	}
	return out, nil
}

func (s side) measure(work string, n int) (measure.Result, error) {
	args := append(slices.Clone(s.command[1:]), "-work", work, "-n", strconv.Itoa(n))
	out, err := exec.Command(s.command[0], args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return measure.Result{}, fmt.Errorf("%w: %s", err, firstLine(exit.Stderr))
	}
	if err != nil {
		return measure.Result{}, err
	}
	var r measure.Result
	return r, json.Unmarshal(out, &r)
}

// medians takes the median of every figure by itself.
func medians(results []measure.Result) *measure.Result {
	if len(results) == 0 {
		return nil
	}
	median := func(figure func(measure.Result) float64) float64 {
		var values []float64
		for _, r := range results {
			values = append(values, figure(r))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return &measure.Result{
		Wall:   median(func(r measure.Result) float64 { return r.Wall }),
		CPU:    median(func(r measure.Result) float64 { return r.CPU }),
		Allocs: median(func(r measure.Result) float64 { return r.Allocs }),
		Bytes:  median(func(r measure.Result) float64 { return r.Bytes }),
	}
}

// figure is the one that counts for the work.
func (w work) figure(r *measure.Result) float64 {
	if w.unit == "B" {
		return r.Bytes
	}
	return r.Wall
}

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/topos-go/topos/behaviours/partition"
)

func nodeName(i int) string { return fmt.Sprintf("n%d", i+1) }

func counted(s status) int64 { return s.Counted }

func refused(s status) int64 { return s.Refused }

func sum(of []status, what func(status) int64) (n int64) {
	for _, s := range of {
		n += what(s)
	}
	return n
}

// row shows every node's count, whom it sees, and how often it has refused.
func row(all []status, cut bool) string {
	var b strings.Builder
	for i, s := range all {
		if cut && i == left {
			b.WriteString(" |")
		}
		seen := make([]byte, 0, nodes)
		for k := range nodes {
			if slices.Contains(s.Members, nodeName(k)) {
				seen = append(seen, byte('1'+k))
			} else {
				seen = append(seen, '.')
			}
		}
		fmt.Fprintf(&b, "  %5d %s", s.Value, seen)
		if s.Refused > 0 {
			fmt.Fprintf(&b, " -%d", s.Refused)
		}
	}
	return strings.TrimPrefix(b.String(), "  ")
}

// checkParted holds what all nodes had at two moments of a partition that they
// know of against what the strategy promises.
func checkParted(s partition.Strategy, before, after []status) (faults []string) {
	complain := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for i := range nodes {
		b, a := before[i], after[i]
		if s == partition.ReadOnly {
			if a.Refused == b.Refused {
				complain("%s has refused nothing", nodeName(i))
			}
			if a.Counted != b.Counted || a.Value != b.Value {
				complain("%s has counted %d more, and has %d after %d, although it is read-only", nodeName(i), a.Counted-b.Counted, a.Value, b.Value)
			}
			continue
		}
		if a.Counted == b.Counted || a.Refused > 0 {
			complain("%s has counted %d more and refused %d", nodeName(i), a.Counted-b.Counted, a.Refused)
		}
		for k := range nodes {
			from := nodeName(k)
			crossed := (i < left) != (k < left)
			if crossed && a.Parts[from] != b.Parts[from] {
				complain("%s has heard of %s across the cut", nodeName(i), from)
			}
			if !crossed && a.Parts[from] == b.Parts[from] {
				complain("%s hears nothing of %s on its own side", nodeName(i), from)
			}
		}
	}
	return faults
}

// equal reports whether all nodes have the same.
func equal(all []status) bool {
	return !slices.ContainsFunc(all, func(s status) bool {
		return s.Value != all[0].Value || !maps.Equal(s.Parts, all[0].Parts)
	})
}

// checkHealed holds every node's count against what was acknowledged: all of
// it must be there, and once.
func checkHealed(all []status) (faults []string) {
	complain := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	acknowledged := sum(all, counted)
	for i, s := range all {
		if s.Value != acknowledged {
			complain("%s has %d, and %d were acknowledged", nodeName(i), s.Value, acknowledged)
		}
		for k, by := range all {
			if n := s.Parts[nodeName(k)]; n != by.Counted {
				complain("%s has %d of %s, and %d were acknowledged there", nodeName(i), n, nodeName(k), by.Counted)
			}
		}
	}
	return faults
}

// verdict prints what every node has, by whose it is, and checks it.
func (d *director) verdict() error {
	all := d.statuses()
	fmt.Fprintf(d.out, "\n%-14s", "")
	for k := range nodes {
		fmt.Fprintf(d.out, "%8s", "of "+nodeName(k))
	}
	fmt.Fprintf(d.out, "%9s\n", "in all")
	line := func(what string, n func(k int) int64, total int64) {
		fmt.Fprintf(d.out, "%-14s", what)
		for k := range nodes {
			fmt.Fprintf(d.out, "%8d", n(k))
		}
		fmt.Fprintf(d.out, "%9d\n", total)
	}
	line("acknowledged", func(k int) int64 { return all[k].Counted }, sum(all, counted))
	for i, s := range all {
		line(nodeName(i)+" has", func(k int) int64 { return s.Parts[nodeName(k)] }, s.Value)
	}
	if sum(all, refused) > 0 {
		line("refused", func(k int) int64 { return all[k].Refused }, sum(all, refused))
	}
	if faults := checkHealed(all); len(faults) > 0 {
		return fmt.Errorf("the counts are wrong:\n  %s", strings.Join(faults, "\n  "))
	}
	fmt.Fprintf(d.out, "\nAll are equal. Every acknowledged increment is there, and none is counted twice.\n")
	return nil
}

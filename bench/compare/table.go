package main

import (
	"fmt"
	"math"
)

// summary is a row of the JSON line. A nil figure is null.
type summary struct {
	Work     string   `json:"work"`
	Unit     string   `json:"unit"`
	Topos    *float64 `json:"topos"`
	Floor    *float64 `json:"floor"`
	Peer     *float64 `json:"peer"`
	PeerName string   `json:"peer_name"`
}

func summaries(rows []row, sides []side) []summary {
	var list []summary
	for _, r := range rows {
		s := summary{Work: r.name, Unit: r.unit, Topos: r.value(0), Floor: r.value(1)}
		if best := r.best(); best > 0 {
			s.Peer, s.PeerName = r.value(best), sides[best].name
		}
		list = append(list, s)
	}
	return list
}

func (r row) value(i int) *float64 {
	if r.results[i] == nil {
		return nil
	}
	v := math.Round(r.figure(r.results[i])*10) / 10
	return &v
}

// best is the index of the best peer, or 0 if there is none.
func (r row) best() int {
	best := 0
	for i := 2; i < len(r.results); i++ {
		if r.results[i] != nil && (best == 0 || r.figure(r.results[i]) < r.figure(r.results[best])) {
			best = i
		}
	}
	return best
}

// print shows the figures and, behind them, the ratios that the bars are about.
func print(rows []row, sides []side) {
	fmt.Printf("%-11s %-4s", "work", "unit")
	for _, s := range sides {
		fmt.Printf(" %12s", s.name)
	}
	fmt.Printf(" %10s %11s %11s %7s\n", "of floor", "best peer", "CPU ns", "allocs")
	for _, r := range rows {
		fmt.Printf("%-11s %-4s", r.name, r.unit)
		for i := range sides {
			fmt.Printf(" %12s", number(r.value(i)))
		}
		ratio, gain := "-", "-"
		if topos := r.value(0); topos != nil {
			if floor := r.value(1); floor != nil {
				ratio = fmt.Sprintf("%.2f ×", *topos / *floor)
			}
			if best := r.best(); best > 0 {
				gain = fmt.Sprintf("%.1f × less", *r.value(best) / *topos)
			}
		}
		cpu, allocs := "-", "-"
		if r.unit == "ns" {
			cpu = fmt.Sprintf("%.0f", r.results[0].CPU)
			allocs = fmt.Sprintf("%.1f", r.results[0].Allocs)
		}
		fmt.Printf(" %10s %11s %11s %7s\n", ratio, gain, cpu, allocs)
	}
	fmt.Println("\nCPU ns and allocs are those of Topos, per operation, user and system time over all cores.")
	fmt.Println("restart: median from sending what crashes it to the start of its successor; the peers restart in place.")
}

func number(v *float64) string {
	switch {
	case v == nil:
		return "-"
	case *v >= 1000:
		return fmt.Sprintf("%.0f", *v)
	}
	return fmt.Sprintf("%.1f", *v)
}

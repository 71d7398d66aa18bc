package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// rounded keeps what is worth reading of a figure.
func rounded(v *float64) *float64 {
	if v == nil {
		return nil
	}
	r := math.Round(*v*100) / 100
	return &r
}

// line is a figure of all sides.
type line struct {
	figure
	values []*float64 // in the order of the sides
}

func (b *between) lines(works []string) []line {
	var list []line
	for _, f := range figures {
		if !slices.Contains(works, f.work) {
			continue
		}
		l := line{figure: f}
		for _, s := range b.sides {
			l.values = append(l.values, rounded(b.value(s.name, f)))
		}
		list = append(list, l)
	}
	return list
}

// best is the index of the best peer, or 0 if there is none.
func (l line) best() int {
	best := 0
	for i := 2; i < len(l.values); i++ {
		v := l.values[i]
		if v == nil {
			continue
		}
		if best == 0 || l.more && *v > *l.values[best] || !l.more && *v < *l.values[best] {
			best = i
		}
	}
	return best
}

func summariesOf(lines []line, sides []side) []summary {
	var list []summary
	for _, l := range lines {
		s := summary{Work: l.name, Unit: l.unit, Topos: l.values[0], Floor: l.values[1]}
		if best := l.best(); best > 0 {
			s.Peer, s.PeerName = l.values[best], sides[best].name
		}
		list = append(list, s)
	}
	return list
}

// printLines shows the figures, the ratios that bars are about, and the bars.
func printLines(w io.Writer, lines []line, sides []side, notes []string) {
	fmt.Fprintf(w, "%-19s %-5s", "work", "unit")
	for _, s := range sides {
		fmt.Fprintf(w, " %11s", s.name)
	}
	fmt.Fprintf(w, " %9s %9s  %s\n", "of floor", "of peer", "bar")
	for _, l := range lines {
		fmt.Fprintf(w, "%-19s %-5s", l.name, l.unit)
		for i := range sides {
			fmt.Fprintf(w, " %11s", number(l.values[i]))
		}
		fmt.Fprintf(w, " %9s %9s  %s\n", ratio(l.values[0], l.values[1]), ratio(l.values[0], l.peer()), l.verdicts(lines))
	}
	if len(notes) > 0 {
		fmt.Fprintln(w)
	}
	for _, n := range notes {
		fmt.Fprintln(w, n)
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "of floor and of peer: Topos' figure divided by the floor's and by the best peer's.")
	fmt.Fprintln(w, "Large messages of protoactor, hollywood and goakt are sent by a window, except in default_lost, since")
	fmt.Fprintln(w, "they lose them otherwise. Requests of goakt have connections of their own, so its ping_same is none.")
	fmt.Fprintln(w, "oneway is of a protobuf message where the library has those, of Topos also of a []byte and of a struct as")
	fmt.Fprintln(w, "CBOR. Allocations include the user's own: payload and message. Requests, pings and the one-way rates have payloads of 64 bytes.")
}

func (l line) peer() *float64 {
	if best := l.best(); best > 0 {
		return l.values[best]
	}
	return nil
}

func ratio(a, b *float64) string {
	if a == nil || b == nil || *b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f ×", *a / *b)
}

// verdicts are the bars, and whether they are reached.
func (l line) verdicts(lines []line) string {
	var list []string
	for _, b := range l.bars {
		text := b.text(l.more)
		var of *float64
		switch b.of {
		case "":
			of = new(float64)
		case ofFloor:
			of = l.values[1]
		case ofPeer:
			of = l.peer()
		default:
			if i := slices.IndexFunc(lines, func(o line) bool { return o.name == b.of }); i >= 0 {
				of = lines[i].values[0]
			}
		}
		switch {
		case l.values[0] == nil || of == nil:
			text += " ?"
		case b.met(l.more, *l.values[0], *of):
			text += " met"
		default:
			text += " MISSED"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

package topology

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/overlay"
)

// pal is a core that makes everybody it meets its neighbor, without asking. It does
// some things wrong, if it is told to.
type pal struct {
	self      overlay.Node
	neighbors []overlay.Node
	wrong     string
	beats     int
	deadline  time.Time
	left      bool
	past      map[overlay.Node]bool
}

type hello struct{ text string }

// pals are cores that do something wrong.
func pals(wrong string) Protocol[*pal] {
	return Protocol[*pal]{
		New: func(i int, self overlay.Node, _ *rand.Rand) (*pal, error) {
			if wrong == "new" {
				return nil, errors.New("no such thing")
			}
			p := &pal{self: self, wrong: wrong, past: make(map[overlay.Node]bool)}
			if wrong == "drops" && i > 0 { // one is enough: others would do the same to it
				p.wrong = ""
			}
			return p, nil
		},
		Valid: func(p *pal) error {
			if p.wrong == "invariant" && p.beats > 5 {
				return errors.New("out of order")
			}
			return nil
		},
		Say:  func(m overlay.Message) string { return m.(hello).text },
		Hear: func(words []string) (overlay.Message, error) { return hello{strings.Join(words, " ")}, nil },
	}
}

func (p *pal) Step(now time.Time, ev overlay.Event) overlay.Effects {
	if p.left {
		if p.wrong == "returns" {
			return overlay.Effects{overlay.Probe{Addr: "x"}}
		}
		return nil
	}
	switch ev := ev.(type) {
	case overlay.Met:
		if p.wrong == "dials itself" {
			return overlay.Effects{overlay.Dial{Node: p.self}}
		}
		if ev.Node.Valid() == nil && p.self.Name < ev.Node.Name && !slices.Contains(p.neighbors, ev.Node) {
			return overlay.Effects{overlay.Dial{Node: ev.Node}}
		}
	case overlay.LinkUp:
		return p.linkUp(ev.Node)
	case overlay.LinkDown:
		return p.drop(ev.Node)
	case overlay.Received:
		p.past[ev.From] = true
		if p.wrong == "drops" {
			return p.drop(ev.From)
		}
	case overlay.LeaveRequested:
		var effects overlay.Effects
		for _, n := range slices.Clone(p.neighbors) {
			effects = append(effects, overlay.Disconnect{Node: n})
			if p.wrong != "keeps" {
				effects = append(effects, p.drop(n)...)
			}
		}
		p.left, p.deadline = true, time.Time{}
		return effects
	}
	return nil
}

func (p *pal) linkUp(n overlay.Node) overlay.Effects {
	up := overlay.NeighborUp{Node: n}
	if slices.Contains(p.neighbors, n) {
		return nil
	}
	p.neighbors = append(p.neighbors, n)
	effects := overlay.Effects{up, overlay.Send{To: n, Message: hello{"hello"}}}
	switch p.wrong {
	case "up twice":
		return append(effects, up)
	case "never up":
		return effects[1:]
	case "down twice":
		return append(overlay.Effects{overlay.NeighborDown{Node: n}}, effects...)
	case "member":
		return append(effects, overlay.Up{Node: n})
	case "no link":
		return append(effects, overlay.Send{To: overlay.Node{Name: "z@z"}, Message: hello{"who"}})
	case "probes itself":
		return append(effects, overlay.Probe{Addr: p.self.Addr()})
	}
	return effects
}

func (p *pal) drop(n overlay.Node) overlay.Effects {
	if i := slices.Index(p.neighbors, n); i >= 0 && p.wrong != "hangs on" {
		p.neighbors = slices.Delete(p.neighbors, i, i+1)
		return overlay.Effects{overlay.NeighborDown{Node: n}}
	}
	return nil
}

func (p *pal) Tick(now time.Time) overlay.Effects {
	if p.left {
		return nil
	}
	p.beats++
	p.deadline = now.Add(time.Second)
	if p.wrong == "no end" && p.beats > 1 {
		p.deadline = now
	}
	return nil
}

func (p *pal) Deadline() time.Time { return p.deadline }

func (p *pal) Neighbors() []overlay.Node { return slices.Clone(p.neighbors) }

func (p *pal) Outdated(overlay.Node) error { return nil }

// failed is what a Test was told.
type failed string

// judge is a Test that can fail without one that does.
type judge struct{}

func (judge) Fatalf(format string, args ...any) { panic(failed(fmt.Sprintf(format, args...))) }

// verdict returns why do fails; "" if it does not.
func verdict(do func(Test)) (why string) {
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(failed)
			if !ok {
				panic(r)
			}
			why = string(f)
		}
	}()
	do(judge{})
	return ""
}

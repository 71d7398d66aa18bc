package pcbroadcast

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// naive are ways to get it wrong, by changing what a node sends.
var naive = map[string]func(w *world, from *site, effects Effects) Effects{
	// New links are safe at once: every ping is answered before it is sent.
	"pongs before pings": func(w *world, from *site, effects Effects) Effects {
		return w.answered(from, effects)
	},
	// What was kept for a link is dropped when it becomes safe.
	"no buffer": func(_ *world, _ *site, effects Effects) Effects {
		opened := make(map[string]bool)
		return slices.DeleteFunc(effects, func(e Effect) bool {
			s, ok := e.(Send)
			if !ok {
				return false
			}
			if _, ok := s.Message.Body.(Open); ok {
				opened[s.To.Name] = true
			}
			_, data := s.Message.Body.(Data[int])
			return data && opened[s.To.Name]
		})
	},
	// A node that joins is told nothing of what was before.
	"no marks": func(_ *world, _ *site, effects Effects) Effects {
		for i, e := range effects {
			if s, ok := e.(Send); ok {
				if open, ok := s.Message.Body.(Open); ok {
					open.Marks = nil
					effects[i] = Send{s.To, Message{s.Message.Link, open}}
				}
			}
		}
		return effects
	},
	// What one node gives up, those behind it do not.
	"no skips": func(_ *world, _ *site, effects Effects) Effects {
		return slices.DeleteFunc(effects, func(e Effect) bool {
			s, ok := e.(Send)
			if !ok {
				return false
			}
			_, skip := s.Message.Body.(Skip)
			return skip
		})
	},
	// Pings overtake what was sent before them.
	"fast pings": func(w *world, from *site, effects Effects) Effects {
		return slices.DeleteFunc(effects, func(e Effect) bool {
			s, ok := e.(Send)
			if !ok {
				return false
			}
			_, ping := s.Message.Body.(Ping)
			if l := w.wires[pair(from.index, w.index(s.To))]; ping && l != nil {
				w.at(w.now, func() { w.step(s.To, w.sites[w.index(s.To)], Received{from.node, s.Message}) })
			}
			return ping
		})
	},
}

// answered answers the pings among effects, of which none is sent.
func (w *world) answered(from *site, effects Effects) Effects {
	return slices.DeleteFunc(effects, func(e Effect) bool {
		s, ok := e.(Send)
		if !ok {
			return false
		}
		to, number := s.To, uint64(0)
		switch m := s.Message.Body.(type) {
		case Ping:
			to, number = m.To, m.Number
		case Ask:
			number = m.Number
		default:
			return false
		}
		if l := from.core.link(to); l != nil {
			pong := Message{l.mine, Pong{number}}
			w.at(w.now, func() { w.step(from.node, from, Received{to, pong}) })
		}
		return true
	})
}

func TestTheOracleFindsWhatNaiveProtocolsBreak(t *testing.T) {
	for name, tamper := range naive {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(300) {
				w := newWorld(seed, 4+int(seed%6))
				w.slow = 2 * time.Second
				w.tamper = tamper
				w.grow()
				if name == "no skips" || name == "no marks" {
					w.storm(120)
				} else {
					w.churn(100)
				}
				w.run(10 * time.Second)
				if w.err != nil {
					if !strings.Contains(w.err.Error(), "happened") {
						t.Fatalf("seed %d: another fault: %v", seed, w.err)
					}
					t.Logf("seed %d: %v", seed, w.err)
					return
				}
			}
			t.Error("nothing was found")
		})
	}
}

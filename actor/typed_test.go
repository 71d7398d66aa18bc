package actor_test

import (
	"errors"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

type (
	counterMessage interface{ counter() }
	add            struct{ n int }
	get            struct{ actor.Returns[int] }
	foreign        struct{ actor.Returns[string] }
)

func (add) counter() {}
func (get) counter() {}

func TestRefSendsAndAsksWithTypes(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		total := 0
		pid := spawn(t, sys, actor.Func(func(self *actor.Self, msg any) error {
			switch m := msg.(type) {
			case add:
				total += m.n
			case get:
				return self.Reply(total)
			}
			return nil
		}), actor.Name("counter"))
		for _, to := range []actor.Address{pid, actor.Name("counter")} {
			ref := actor.RefOf[counterMessage](to)
			if ref.Address() != to {
				t.Errorf("Address = %v", ref.Address())
			}
			if err := ref.Send(sys, add{2}); err != nil {
				t.Errorf("Send: %v", err)
			}
			probe.Do(func(self *actor.Self) error { return ref.Send(self, add{3}) })
			var n int // the type is inferred from the request
			n, err := actor.Ask(t.Context(), sys, ref, get{})
			if n%5 != 0 || n == 0 || err != nil {
				t.Errorf("Ask = %v, %v", n, err)
			}
			if _, err := actor.Ask(t.Context(), sys, ref, foreign{}); !errors.Is(err, actor.ErrRequestType) {
				t.Errorf("Ask with another's request: %v", err)
			}
		}
		var none actor.Ref[counterMessage]
		if err := none.Send(sys, add{1}); err != actor.ErrNoProc {
			t.Errorf("Send of the zero Ref: %v", err)
		}
		if _, err := actor.Ask(t.Context(), sys, none, get{}); !errors.Is(err, actor.ErrNoProc) {
			t.Errorf("Ask of the zero Ref: %v", err)
		}
	})
}

package event_test

import (
	"errors"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/event"
	"github.com/topos-go/topos/clustertest"
)

// adder sums up the numbers among the events.
type adder struct{ sum int }

func (a *adder) HandleEvent(_ *actor.Self, e any) (event.Next, error) {
	n, _ := e.(int)
	a.sum += n
	return event.Next{}, nil
}

func (a *adder) HandleCall(self *actor.Self, _ any) (event.Next, error) {
	return event.Next{}, self.Reply(a.sum)
}

func (a *adder) Terminate(_ *actor.Self, end event.End) any { return end.Arg }

func TestManagerIsReachedFromAnotherNode(t *testing.T) {
	clustertest.Run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		mgr, err := c.Node(1).Spawn(t.Context(), event.New())
		if err != nil {
			t.Fatal(err)
		}
		if err := event.Add(t.Context(), c.Node(1), mgr, "adder", new(adder)); err != nil {
			t.Fatal(err)
		}
		from := c.Node(0)
		_ = event.Notify(from, mgr, 1)
		if err := event.SyncNotify(t.Context(), from, mgr, 2); err != nil {
			t.Error(err)
		}
		if got, err := event.Call[int](t.Context(), from, mgr, "adder", "sum"); got != 3 || err != nil {
			t.Errorf("call: %d, %v", got, err)
		}
		if ids, err := event.Which(t.Context(), from, mgr); len(ids) != 1 || ids[0] != "adder" || err != nil {
			t.Errorf("which: %v, %v", ids, err)
		}
		if got, err := event.Delete(t.Context(), from, mgr, "adder", "bye"); got != "bye" || err != nil {
			t.Errorf("delete: %v, %v", got, err)
		}
		if err := event.Add(t.Context(), from, mgr, "adder", new(adder)); err == nil {
			t.Error("a handler has travelled")
		}
		if err := event.Stop(t.Context(), from, mgr, nil); err != nil {
			t.Error(err)
		}
		c.Settle()
		if err := event.SyncNotify(t.Context(), from, mgr, 2); !errors.Is(err, actor.ErrNoProc) {
			t.Errorf("sync notify: %v", err)
		}
	}, clustertest.Types(event.Messages()...))
}

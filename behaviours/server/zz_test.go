package server_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/server"
)

type keeper struct{ kept []actor.From }

func (k *keeper) Receive(self *actor.Self, msg any) error {
	if msg == "go" {
		for _, f := range k.kept {
			f.Reply(1)
		}
		return nil
	}
	k.kept = append(k.kept, self.From())
	return nil
}

func TestZZWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := actortest.NewSystem(t)
		pid, _ := sys.Spawn(t.Context(), &keeper{})
		var c server.Requests[int, int]
		const n = 8
		for i := range n {
			c.Send(actor.Patient(context.Background()), sys, pid, "q", i)
		}
		got := make(chan error, 2*n)
		ctx, cancel := context.WithCancel(context.Background())
		for range n + 3 {
			go func() { _, err := c.Wait(ctx); got <- err }()
		}
		synctest.Wait()
		sys.Send(pid, "go")
		synctest.Wait()
		t.Log(len(got), c.Len())
		cancel()
		synctest.Wait()
		for range len(got) {
			t.Log(<-got)
		}
	})
}

package server_test

import (
	"context"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
	"github.com/topos-go/topos/clustertest"
)

// listening is a server that keeps its calls and notes when their contexts end.
type listening struct{ heard chan time.Time }

func (l *listening) HandleCall(self *actor.Self, _ any) (server.Next, error) {
	self.From()
	context.AfterFunc(self.Context(), func() { l.heard <- time.Now() })
	return server.Next{}, nil
}

func (l *listening) HandleCast(*actor.Self, any) (server.Next, error) { return server.Next{}, nil }

func TestServerHearsThatItsCallerOnAnotherNodeHasGivenUp(t *testing.T) {
	clustertest.Run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		l := &listening{heard: make(chan time.Time, 1)}
		pid, err := c.Node(1).Spawn(t.Context(), server.New(l), actor.Name("listening"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for _, to := range []actor.Address{pid, actor.NameAt{Name: "listening", Node: c.Node(1).Name()}} {
			for name, opts := range map[string][]actor.SendOption{
				"default channel": nil, "another channel": {actor.Channel("rpc")},
				"key": {actor.Key("k")}, "acknowledged": {actor.Ack()},
			} {
				r := actor.SendRequest[any](ctx, c.Node(0), to, "?", opts...)
				c.Settle()
				began := time.Now()
				r.Abandon()
				select {
				case at := <-l.heard:
					if at.Sub(began) > time.Second {
						t.Errorf("%s, %v: heard after %v", name, to, at.Sub(began))
					}
				case <-time.After(time.Minute):
					t.Errorf("%s, %v: not heard", name, to)
				}
			}
		}
		lost := actor.SendRequest[any](ctx, c.Node(0), pid, "?")
		c.Settle()
		c.Kill(0)
		<-lost.Done()
		select {
		case <-l.heard:
		case <-time.After(time.Minute):
			t.Error("the loss of the caller's node was not heard")
		}
	}, clustertest.Types(server.Messages()...))
}

package server_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
)

// plain is a Handler with nothing optional.
type plain struct{ got []string }

func (p *plain) HandleCall(_ *actor.Self, req int, caller server.Caller[[]string]) (server.Next, error) {
	switch req {
	case 0:
		return server.Next{}, caller.Reply(p.got)
	case 1:
		return server.Next{}, caller.Error(errOther)
	case 2:
		later := caller.Later()
		time.AfterFunc(time.Second, func() { later.Reply([]string{"later"}) })
		return server.Next{}, nil
	case 3:
		later := caller.Later()
		time.AfterFunc(time.Second, func() { later.Error(errOther) })
		return server.Next{}, nil
	}
	return server.Next{Continue: "more"}, nil
}

func (p *plain) HandleCast(_ *actor.Self, msg string) (server.Next, error) {
	p.got = append(p.got, "cast "+msg)
	if msg == "timeout" {
		return server.Next{Timeout: time.Second}, nil
	}
	return server.Next{}, nil
}

// rich is a Handler with everything.
type rich struct {
	plain
	ended error
}

func (r *rich) Init(self *actor.Self) (server.Next, error) {
	self.Monitor(actor.Name("nobody"))
	r.got = append(r.got, "init")
	return server.Next{Continue: "first"}, nil
}

func (r *rich) HandleInfo(_ *actor.Self, msg any) (server.Next, error) {
	if down, ok := msg.(actor.Down); ok {
		r.got = append(r.got, "down "+string(down.Of.(actor.Name)))
	}
	return server.Next{}, nil
}

func (r *rich) HandleContinue(_ *actor.Self, arg any) (server.Next, error) {
	r.got = append(r.got, "continue "+arg.(string))
	return server.Next{}, nil
}

func (r *rich) HandleTimeout(*actor.Self) (server.Next, error) {
	r.got = append(r.got, "timeout")
	return server.Next{}, errBoom
}

func (r *rich) Terminate(_ *actor.Self, reason error) { r.ended = reason }

func TestTypedServerIsAskedOnlyWhatItUnderstands(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(server.Typed[int, []string, string](&plain{}))
		client := server.ClientOf[int, []string, string](pid)
		_, err := actor.Call[any](f.Context(), f.sys, pid, "no int")
		f.wantFailed("a request of another type", err, actor.ErrRequestType)
		if err := f.sys.Send(pid, 7); err != nil {
			f.Error(err)
		}
		if err := client.Cast(f.sys, "a"); err != nil {
			f.Error(err)
		}
		if got, err := client.Call(f.Context(), f.sys, 0); err != nil || len(got) != 1 || got[0] != "cast a" {
			f.Errorf("it has seen %v, %v", got, err)
		}
		_, err = client.Call(f.Context(), f.sys, 1)
		f.wantFailed("an error", err, errOther)
		if got, err := client.Request(f.Context(), f.sys, 2).Wait(f.Context()); err != nil || len(got) != 1 {
			f.Errorf("later: %v, %v", got, err)
		}
		_, err = client.Call(f.Context(), f.sys, 3)
		f.wantFailed("a later error", err, errOther)
	})
}

func TestTypedServerWithoutAnOptionalCallbackIsNoneThatHasIt(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.probe.Monitor(f.spawn(server.Typed[int, []string, string](&plain{}), actor.Name("continues")))
		_, err := f.ask(actor.Name("continues"), 4)
		f.wantFailed("a continue", err, server.ErrNoContinuer)

		pid := f.spawn(server.Typed[int, []string, string](&plain{}))
		_ = f.sys.Send(pid, "timeout")
		time.Sleep(2 * time.Second)
		_, err = f.ask(pid, 0)
		f.wantFailed("a timeout", err, actor.ErrNoProc)
	})
}

func TestTypedServerHasTheOptionalCallbacksOfItsHandler(t *testing.T) {
	bubble(t, func(f *fixture) {
		h := &rich{}
		pid := f.spawn(server.Typed[int, []string, string](h))
		_, err := actor.Call[any](f.Context(), f.sys, pid, 4)
		f.wantFailed("a call without a reply", err, actor.ErrNoReply)
		_ = f.sys.Send(pid, "timeout")
		time.Sleep(time.Minute)
		synctest.Wait()
		want := []string{"init", "continue first", "down nobody", "continue more", "cast timeout", "timeout"}
		if len(h.got) != len(want) {
			f.Fatalf("got %v, want %v", h.got, want)
		}
		for i := range want {
			if h.got[i] != want[i] {
				f.Errorf("got %v, want %v", h.got, want)
			}
		}
		if h.ended != errBoom {
			f.Errorf("Terminate got %v", h.ended)
		}
	})
}

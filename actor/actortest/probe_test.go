package actortest_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

var errBoom = errors.New("boom")

// echo answers calls with their request and ends with an error it is sent.
func echo(self *actor.Self, msg any) error {
	if err, ok := msg.(error); ok {
		return err
	}
	return self.Reply(msg)
}

// TestExpectationsHoldAndFailAsTheyShould runs each expectation as a test of
// its own and looks at how that test fails.
func TestExpectationsHoldAndFailAsTheyShould(t *testing.T) {
	const wait = time.Minute // bubble time
	for _, c := range []struct {
		name string
		test func(p *actortest.Probe)
		want string // part of the failure, or "" for success
	}{
		{"expect", func(p *actortest.Probe) {
			_ = p.Send(p.PID(), 7)
			if actortest.Expect[int](p, wait) != 7 {
				panic("not 7")
			}
		}, ""},
		{"expect another type", func(p *actortest.Probe) {
			_ = p.Send(p.PID(), "seven")
			actortest.Expect[int](p, wait)
		}, "got string seven, want a int"},
		{"expect and nothing comes", func(p *actortest.Probe) { actortest.Expect[int](p, wait) }, "nothing within 1m0s, want int"},
		{"await leaves others out", func(p *actortest.Probe) {
			_ = p.Send(p.PID(), "seven")
			_ = p.Send(p.PID(), 7)
			actortest.Await[int](p, wait)
		}, ""},
		{"await and only others come", func(p *actortest.Probe) {
			_ = p.Send(p.PID(), "seven")
			actortest.Await[int](p, wait)
		}, "no int within 1m0s, only 1 other"},
		{"message", func(p *actortest.Probe) {
			_ = p.Send(p.PID(), []int{1})
			p.ExpectMessage([]int{1}, wait)
		}, ""},
		{"other message", func(p *actortest.Probe) {
			_ = p.Send(p.PID(), []int{1})
			p.ExpectMessage([]int{2}, wait)
		}, "got []int [1], want []int [2]"},
		{"no message", func(p *actortest.Probe) { p.ExpectMessage(1, wait) }, "nothing within 1m0s, want int 1"},
		{"nothing", func(p *actortest.Probe) { p.ExpectNothing(wait) }, ""},
		{"not nothing", func(p *actortest.Probe) {
			p.Do(func(self *actor.Self) error { self.SendAfter(wait-1, "late"); return nil })
			p.ExpectNothing(wait)
		}, "got string late, want nothing"},
		{"down", func(p *actortest.Probe) {
			pid := p.Spawn(actor.Func(echo))
			ref := p.Monitor(pid)
			_ = p.Send(pid, errBoom)
			if p.ExpectDown(pid, errBoom, wait).Ref != ref {
				panic("another ref")
			}
		}, ""},
		{"down for another reason", func(p *actortest.Probe) {
			pid := p.Spawn(actor.Func(echo))
			p.Monitor(pid)
			_ = p.Send(pid, actor.ErrNormal)
			p.ExpectDown(pid, errBoom, wait)
		}, "want of <local/0-/1.1>: boom"},
		{"down of another", func(p *actortest.Probe) {
			p.Monitor(actor.Name("nobody"))
			p.ExpectDown(p.PID(), actor.ErrNoProc, wait)
		}, "got Down of nobody"},
		{"no down once demonitored", func(p *actortest.Probe) {
			pid := p.Spawn(actor.Func(echo))
			if !p.Demonitor(p.Monitor(pid)) {
				panic("no monitor")
			}
			_ = p.Send(pid, errBoom)
			p.ExpectDown(pid, errBoom, wait)
		}, "nothing within"},
		{"exit", func(p *actortest.Probe) {
			pid := p.SpawnLink(actor.Func(echo))
			_ = p.Send(pid, errBoom)
			p.ExpectExit(pid, errBoom, wait)
		}, ""},
		{"exit for another reason", func(p *actortest.Probe) {
			pid := p.Spawn(actor.Func(echo))
			_ = p.Link(pid)
			_ = p.Exit(pid, errBoom)
			p.ExpectExit(pid, actor.ErrShutdown, wait)
		}, "boom, want from"},
		{"no exit once unlinked", func(p *actortest.Probe) {
			pid := p.SpawnLink(actor.Func(echo))
			p.Unlink(pid)
			_ = p.Send(pid, errBoom)
			p.ExpectExit(pid, errBoom, wait)
		}, "nothing within"},
		{"act after the probe's end", func(p *actortest.Probe) {
			p.End(errBoom)
			_ = p.Send(p.PID(), 1)
			_ = p.Send(p.PID(), 2)
		}, "probe: call to"},
		{"spawn that fails", func(p *actortest.Probe) { p.Spawn(nil) }, "nil actor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failures := run(func(t testing.TB) { c.test(actortest.NewProbe(t, actortest.NewSystem(t))) })
				switch text := strings.Join(failures, "\n"); {
				case c.want == "" && text != "":
					t.Errorf("failed: %s", text)
				case !strings.Contains(text, c.want) || c.want != "" && text == "":
					t.Errorf("failed with %q, want %q in it", text, c.want)
				}
			})
		})
	}
}

func TestProbeCallsAndIsCalled(t *testing.T) {
	sys := actortest.NewSystem(t)
	probe := actortest.NewProbe(t, sys, actor.Name("probe"))
	pid := probe.Spawn(actor.Func(echo))
	if reply, err := probe.Call(t.Context(), pid, "hello"); reply != "hello" || err != nil {
		t.Errorf("Call = %v, %v", reply, err)
	}
	answer := make(chan int)
	go func() {
		n, _ := actor.Call[int](t.Context(), probe.System(), actor.Name("probe"), "how many?")
		answer <- n
	}()
	request := actortest.Expect[actortest.Request](probe, time.Minute)
	if request.Msg != "how many?" || !request.From.Reply(3) {
		t.Errorf("request = %+v", request)
	}
	if n := <-answer; n != 3 {
		t.Errorf("answer = %d", n)
	}
}

func TestDrainTakesEverythingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		probe := actortest.NewProbe(t, actortest.NewSystem(t))
		_ = probe.Send(probe.PID(), 1)
		_ = probe.Send(probe.PID(), 2)
		synctest.Wait()
		if n := probe.Len(); n != 2 {
			t.Errorf("Len = %d", n)
		}
		if all := probe.Drain(); len(all) != 2 || all[0] != 1 || all[1] != 2 || probe.Len() != 0 {
			t.Errorf("Drain = %v", all)
		}
	})
}

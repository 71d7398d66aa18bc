package statem_test

import (
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/statem"
)

func TestCallThatIsNeitherAnsweredNorKeptNorPostponedFails(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(statem.New[string](&script[string]{handle: func(t *statem.Turn[string], e statem.Event) error {
			switch e.Content {
			case "postpone":
				if t.State() == "" {
					t.Postpone()
				}
			case "change":
				t.Next("changed")
				return t.Reply("ok")
			}
			return nil
		}}))
		_, err := f.ask(pid, "nothing")
		f.wantFailed("call in hand", err, actor.ErrNoReply)
		failed := make(chan error)
		go func() {
			_, err := f.ask(pid, "postpone")
			failed <- err
		}()
		time.Sleep(time.Second)
		f.want(pid, "change", "ok")
		f.wantFailed("call that was postponed", <-failed, actor.ErrNoReply)
	})
}

func TestPostponedCallsFailWithTheReasonOfTheEnd(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(statem.New[string](&script[string]{handle: func(t *statem.Turn[string], e statem.Event) error {
			if e.Kind == statem.Cast {
				return errBoom
			}
			t.Postpone()
			return nil
		}}))
		failed := make(chan error)
		for range 3 {
			go func() {
				_, err := f.ask(pid, "wait")
				failed <- err
			}()
		}
		time.Sleep(time.Second)
		_ = f.sys.Send(pid, "end")
		for range 3 {
			f.wantFailed("postponed call", <-failed, errBoom)
		}
	})
}

func TestPostponedEventsWaitWhileTheStateIsRepeated(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(statem.New[string](&script[string]{handle: func(t *statem.Turn[string], e statem.Event) error {
			switch {
			case e.Content == "repeat":
				t.Repeat()
			case e.Content == "same":
				t.Next(t.State())
			case e.Content == "change":
				t.Next("changed")
			case t.State() == "":
				t.Postpone()
			default:
				f.report(t, e)
			}
			return nil
		}}))
		for _, msg := range []string{"1", "repeat", "2", "same", "3"} {
			_ = f.sys.Send(pid, msg)
		}
		f.probe.ExpectNothing(time.Second)
		_ = f.sys.Send(pid, "change")
		f.wantSeen(seen{statem.Cast, "1", "changed"}, seen{statem.Cast, "2", "changed"}, seen{statem.Cast, "3", "changed"})
	})
}

func TestEnterMayNotChangeTheStatePostponeOrInsert(t *testing.T) {
	for name, wrong := range map[string]func(t *statem.Turn[string]){
		"change":   func(t *statem.Turn[string]) { t.Next("other") },
		"postpone": func(t *statem.Turn[string]) { t.Postpone() },
		"insert":   func(t *statem.Turn[string]) { t.Internal(1) },
		"push":     func(t *statem.Turn[string]) { t.Push(&script[string]{}) },
		"pop":      func(t *statem.Turn[string]) { t.Change(&script[string]{}) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fixture) {
				m := &entering[string]{}
				m.handle = func(t *statem.Turn[string], _ statem.Event) error {
					t.Next("next")
					return nil
				}
				m.enter = func(t *statem.Turn[string], _ string) error {
					if t.State() == "next" {
						wrong(t)
					}
					return nil
				}
				pid := f.spawn(statem.New[string](m))
				f.probe.Monitor(pid)
				_ = f.sys.Send(pid, "go")
				f.probe.ExpectDown(pid, statem.ErrEnter, soon)
			})
		})
	}
}

func TestSpawnDoesNotWaitForEnterButMailDoes(t *testing.T) {
	bubble(t, func(f *fixture) {
		m := &entering[string]{}
		m.init = func(t *statem.Turn[string]) (string, error) {
			_ = t.Self().Send(t.Self().PID(), "mail from init")
			t.Internal("inserted by init")
			t.StateTimeout(0, "due at once")
			return "first", nil
		}
		m.enter = func(t *statem.Turn[string], _ string) error {
			time.Sleep(time.Hour)
			return nil
		}
		m.handle = func(t *statem.Turn[string], e statem.Event) error {
			f.report(t, e)
			return nil
		}
		began := time.Now()
		f.spawn(statem.New[string](m))
		if took := time.Since(began); took > 0 {
			f.Errorf("spawn took %v", took)
		}
		time.Sleep(time.Hour)
		f.wantSeen(seen{statem.Internal, "inserted by init", "first"}, seen{statem.StateTimeout, "due at once", "first"},
			seen{statem.Cast, "mail from init", "first"})
	})
}

func TestErrorInEnterEndsTheMachine(t *testing.T) {
	bubble(t, func(f *fixture) {
		m := &entering[string]{}
		m.enter = func(*statem.Turn[string], string) error { return errBoom }
		pid := f.probe.SpawnLink(statem.New[string](m))
		f.probe.ExpectExit(pid, errBoom, soon)
	})
}

func TestStateWithoutFunctionEndsTheMachine(t *testing.T) {
	bubble(t, func(f *fixture) {
		init := func(first string) func(*statem.Turn[string]) (string, error) {
			return func(*statem.Turn[string]) (string, error) { return first, nil }
		}
		states := map[string]statem.State[string]{"known": {Handle: func(t *statem.Turn[string], _ statem.Event) error {
			t.Next("unknown")
			return nil
		}}}
		_, err := f.sys.Spawn(f.Context(), statem.New(statem.Functions(init("unknown"), states)))
		f.wantFailed("start", err, statem.ErrNoState)
		pid := f.spawn(statem.New(statem.Functions(init("known"), states)))
		_, err = f.ask(pid, "go")
		f.wantFailed("call", err, statem.ErrNoState)
	})
}

func TestKeptCallIsInsertedInALaterTurn(t *testing.T) {
	bubble(t, func(f *fixture) {
		var kept, lost statem.Event
		pid := f.spawn(statem.New[string](&script[string]{handle: func(t *statem.Turn[string], e statem.Event) error {
			switch {
			case e.Content == "keep" && t.State() == "":
				kept = t.Keep()
				t.Next("kept")
			case e.Content == "keep":
				return t.Reply("here again")
			case e.Content == "insert":
				t.Insert(kept)
			case e.Content == "lose":
				lost = e
				return t.Reply("answered")
			case e.Content == "insert lost":
				t.Insert(lost)
			}
			return nil
		}}))
		answer := make(chan any)
		go func() {
			got, _ := f.ask(pid, "keep")
			answer <- got
		}()
		time.Sleep(time.Second)
		_ = f.sys.Send(pid, "insert")
		if got := <-answer; got != "here again" {
			f.Errorf("answer %v", got)
		}
		f.want(pid, "lose", "answered")
		_, err := f.ask(pid, "insert lost")
		f.wantFailed("insertion of another turn's call", err, statem.ErrInsert)
	})
}

func TestInfoIsWhatTheKernelSends(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.spawn(statem.New[string](&script[string]{
			init: func(t *statem.Turn[string]) (string, error) {
				t.Self().Monitor(actor.Name("nobody"))
				return "", nil
			},
			handle: func(t *statem.Turn[string], e statem.Event) error {
				if down, ok := e.Content.(actor.Down); ok {
					e.Content = errors.Is(down.Reason, actor.ErrNoProc)
				}
				f.report(t, e)
				return nil
			},
		}))
		f.wantSeen(seen{statem.Info, true, ""})
	})
}

// loan is memory that is wanted back.
type loan struct{ returned chan struct{} }

func (l loan) Return() { close(l.returned) }

func TestPostponedEventKeepsMemoryThatWasLent(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(statem.New[string](&script[string]{handle: func(t *statem.Turn[string], e statem.Event) error {
			switch e.Content.([]byte)[0] {
			case 'p':
				t.Postpone()
			case 'k':
				t.Keep()
			}
			return nil
		}}))
		for msg, want := range map[string]bool{"postpone": false, "keep": false, "handle": true} {
			l := loan{make(chan struct{})}
			f.sys.Deliver(actor.Signal{Kind: actor.SignalMessage, To: pid, Msg: []byte(msg), Loan: l})
			synctest.Wait()
			select {
			case <-l.returned:
				if !want {
					f.Errorf("the memory of %q was given back", msg)
				}
			default:
				if want {
					f.Errorf("the memory of %q was not given back", msg)
				}
			}
		}
	})
}

func TestPostponingTooManyEventsEndsTheMachine(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(statem.New[string](&script[string]{handle: func(t *statem.Turn[string], _ statem.Event) error {
			t.Postpone()
			return nil
		}}))
		f.probe.Monitor(pid)
		for i := range statem.PostponeLimit {
			_ = f.sys.Send(pid, i)
		}
		synctest.Wait()
		if !f.sys.Alive(pid) {
			f.Fatal("it ended at the limit")
		}
		_ = f.sys.Send(pid, "one more")
		f.probe.ExpectDown(pid, statem.ErrPostponeLimit, soon)
	})
}

// What a machine has handled it does not keep alive.
func TestHandledEventIsLetGoOf(t *testing.T) {
	collected := make(chan struct{})
	pid, sys := func() (actor.PID, *actor.System) {
		f := &fixture{T: t}
		sys, err := actor.NewSystem(actor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		f.sys = sys
		pid := f.spawn(statem.New[string](&script[string]{handle: func(t *statem.Turn[string], e statem.Event) error {
			if e.Kind == statem.Internal {
				return nil
			}
			t.Internal(e.Content)
			return t.Reply(nil)
		}}))
		big := new([1 << 20]byte)
		runtime.AddCleanup(big, func(int) { close(collected) }, 0)
		if _, err := f.ask(pid, big); err != nil {
			t.Fatal(err)
		}
		return pid, sys
	}()
	f := &fixture{T: t, sys: sys}
	for range 3 { // what else held it is used again
		_, _ = f.ask(pid, "small")
		runtime.GC()
	}
	<-collected
	if err := sys.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

package statem_test

import (
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/statem"
)

// seen is what the machines of these tests tell the probe: an event, its
// content and the state.
type seen struct {
	kind    statem.Kind
	content any
	state   string
}

// report tells the probe of an event.
func (f *fixture) report(t *statem.Turn[string], e statem.Event) {
	_ = t.Self().Send(f.probe.PID(), seen{e.Kind, e.Content, t.State()})
}

// wantSeen fails the test unless the probe has been told just that, in order.
func (f *fixture) wantSeen(want ...seen) {
	f.Helper()
	for _, w := range want {
		f.probe.ExpectMessage(w, soon)
	}
	if f.probe.Len() != 0 {
		f.Errorf("more was seen: %v", f.probe.Drain())
	}
}

func TestStopAndReply(t *testing.T) {
	bubble(t, func(f *fixture) {
		var first actor.From
		pid := f.spawn(statem.New[string](&script[string]{handle: func(t *statem.Turn[string], e statem.Event) error {
			switch e.Content {
			case "wait":
				first = t.From()
				t.Next("waiting")
				return nil
			}
			first.Reply("reply 1")
			_ = t.Reply("reply 2")
			return errBoom
		}}))
		answer := make(chan any)
		go func() {
			got, _ := f.ask(pid, "wait")
			answer <- got
		}()
		time.Sleep(time.Second)
		f.probe.Monitor(pid)
		f.want(pid, "stop", "reply 2")
		if got := <-answer; got != "reply 1" {
			f.Errorf("the first caller got %v", got)
		}
		f.probe.ExpectDown(pid, errBoom, soon)
	})
}

func TestNextEvents(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(statem.New[string](&script[string]{handle: func(t *statem.Turn[string], e statem.Event) error {
			f.report(t, e)
			switch e.Content {
			case "go":
				t.Internal(1)
				t.Internal(2)
				t.Insert(statem.Event{Kind: statem.Cast, Content: 3})
			case 1:
				t.Internal("before 2")
			}
			return nil
		}}))
		_ = f.sys.Send(pid, "go")
		_ = f.sys.Send(pid, "last")
		f.wantSeen(seen{statem.Cast, "go", ""}, seen{statem.Internal, 1, ""}, seen{statem.Internal, "before 2", ""},
			seen{statem.Internal, 2, ""}, seen{statem.Cast, 3, ""}, seen{statem.Cast, "last", ""})
	})
}

func TestEventOrder(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(statem.New[string](&script[string]{
			init: func(*statem.Turn[string]) (string, error) { return "start", nil },
			handle: func(t *statem.Turn[string], e statem.Event) error {
				switch {
				case t.State() == "start" && e.Kind == statem.Cast:
					t.Postpone() // handled in "buffer"
				case e.Kind == statem.Call && e.Content == "buffer":
					t.Next("buffer")
					t.Internal("ok3")
					t.Internal("ok4")
					// It does not come: the events before it cancel it.
					t.EventTimeout(0, "ok5")
					return t.Reply("ok")
				default:
					f.report(t, e)
				}
				return nil
			},
		}))
		_ = f.sys.Send(pid, "ok1")
		_ = f.sys.Send(pid, "ok2")
		f.want(pid, "buffer", "ok")
		f.wantSeen(seen{statem.Internal, "ok3", "buffer"}, seen{statem.Internal, "ok4", "buffer"},
			seen{statem.Cast, "ok1", "buffer"}, seen{statem.Cast, "ok2", "buffer"})
	})
}

// The numbers are those of OTP's case.
func TestStateEnter(t *testing.T) {
	type note struct {
		n         int
		what, old any
	}
	bubble(t, func(f *fixture) {
		n := 1
		tell := func(t *statem.Turn[string], what, old any) error {
			_ = t.Self().Send(f.probe.PID(), note{n, what, old})
			n++
			return nil
		}
		m := &entering[string]{}
		m.init = func(*statem.Turn[string]) (string, error) { return "start", nil }
		m.enter = func(t *statem.Turn[string], old string) error {
			if t.State() == "start" {
				return tell(t, "enter start", old)
			}
			t.EventTimeout(0, n)
			t.StateTimeout(0, n)
			if n < 5 {
				t.Repeat()
			}
			return tell(t, "enter wait", old)
		}
		m.handle = func(t *statem.Turn[string], e statem.Event) error {
			switch {
			case e.Kind != statem.Call:
				return tell(t, e.Kind, e.Content)
			case e.Content == "repeat":
				_ = t.Reply(n)
				t.Repeat()
				if t.State() == "start" {
					n++ // {repeat_state, N + 1}
				} else {
					t.EventTimeout(0, n)
				}
			case e.Content == "echo" && t.State() == "start":
				_ = t.Reply(n)
				t.Next("wait")
				t.EventTimeout(0, n)
				n++
			case e.Content == "echo":
				_ = t.Reply(n)
				t.Next("start")
				t.Internal("wait")
				n++
			}
			return nil
		}
		pid := f.spawn(statem.New[string](m))
		want := func(notes ...note) {
			f.Helper()
			for _, w := range notes {
				f.probe.ExpectMessage(w, soon)
			}
		}
		want(note{1, "enter start", "start"})
		f.want(pid, "echo", 2)
		want(note{3, "enter wait", "start"}, note{4, "enter wait", "start"}, note{5, "enter wait", "start"},
			note{6, statem.EventTimeout, 5}, note{7, statem.StateTimeout, 5})
		f.want(pid, "repeat", 8)
		want(note{8, "enter wait", "wait"}, note{9, statem.EventTimeout, 8}, note{10, statem.StateTimeout, 8})
		f.want(pid, "echo", 11)
		want(note{12, "enter start", "wait"}, note{13, statem.Internal, "wait"})
		f.want(pid, "repeat", 14)
		want(note{15, "enter start", "start"})
		if f.probe.Len() > 0 {
			f.Errorf("more: %v", f.probe.Drain())
		}
	})
}

func TestStateTimeout(t *testing.T) {
	bubble(t, func(f *fixture) {
		const d = 500 * time.Millisecond
		var from actor.From
		step := 0
		pid := f.spawn(statem.New[string](&script[string]{
			init: func(*statem.Turn[string]) (string, error) { return "start", nil },
			handle: func(t *statem.Turn[string], e statem.Event) error {
				f.report(t, e)
				switch step++; step {
				case 1: // internal events go before what comes from outside
					from = t.From()
					_ = t.Self().Send(t.Self().PID(), "message to self")
					t.Next("state1")
					t.EventTimeout(d, 1)
					t.StateTimeout(d, 1)
					t.Internal(1)
				case 2: // a change of state cancels both
					t.Next("state2")
					t.EventTimeout(0, 2)
					t.StateTimeout(0, 2)
					t.Internal(2)
				case 3: // the state timeout of zero comes after it and cancels this
					t.EventTimeout(0, 3)
				case 4: // zeros come in the order in which they were set
					t.EventTimeout(0, 4)
					t.StateTimeout(0, 5)
				case 5: // one of zero can be set while another is due
					t.StateTimeout(0, 6)
					t.EventTimeout(0, 7)
				case 6:
					t.Next("state3")
					from.Reply("ok")
					t.StateTimeout(d, 8)
				}
				return nil
			},
		}))
		f.want(pid, "go", "ok")
		f.wantSeen(seen{statem.Call, "go", "start"}, seen{statem.Internal, 1, "state1"}, seen{statem.Internal, 2, "state2"},
			seen{statem.StateTimeout, 2, "state2"}, seen{statem.EventTimeout, 4, "state2"},
			seen{statem.StateTimeout, 6, "state2"}, seen{statem.Cast, "message to self", "state3"}, seen{statem.StateTimeout, 8, "state3"})
	})
}

func TestTimeoutCancelAndUpdate(t *testing.T) {
	bubble(t, func(f *fixture) {
		const d = 17 * time.Millisecond
		pid := f.spawn(statem.New[string](&script[string]{
			init: func(*statem.Turn[string]) (string, error) { return "start", nil },
			handle: func(t *statem.Turn[string], e statem.Event) error {
				f.report(t, e)
				switch e.Content {
				case "test":
					_ = t.Self().Send(t.Self().PID(), "message to self")
					t.Next("state1")
					t.StateTimeout(d, 1)
					t.Internal("cancel")
				case "cancel":
					t.CancelStateTimeout()
					t.Timeout("a", d, 1)
				case "message to self":
					t.UpdateTimeout("a", "a")
				case "a":
					t.Next("state2")
					t.StateTimeout(d, 2)
					t.Internal("sleep")
				case "sleep": // the timer has fired, but its event has not come
					time.Sleep(50 * time.Millisecond)
					t.UpdateStateTimeout("b")
					t.EventTimeout(d, 2)
				case "b": // one that is not set is due at once
					t.UpdateStateTimeout("c")
				case "c":
					t.Timeout("x", d, 1)
					t.CancelTimeout("x")
					t.Timeout("y", d, 1)
					t.Timeout("y", statem.Infinity, 1)
					t.EventTimeout(time.Hour, "late")
					t.CancelEventTimeout()
				}
				return nil
			},
		}))
		_ = f.sys.Send(pid, "test")
		f.wantSeen(seen{statem.Cast, "test", "start"}, seen{statem.Internal, "cancel", "state1"},
			seen{statem.Cast, "message to self", "state1"}, seen{statem.Timeout, "a", "state1"},
			seen{statem.Internal, "sleep", "state2"}, seen{statem.StateTimeout, "b", "state2"}, seen{statem.StateTimeout, "c", "state2"})
		f.probe.ExpectNothing(2 * time.Hour)
	})
}

// Events of all kinds can be inserted.
func TestEventTypes(t *testing.T) {
	bubble(t, func(f *fixture) {
		m := &script[string]{}
		m.init = func(t *statem.Turn[string]) (string, error) {
			t.Internal(0)
			return "start", nil
		}
		m.handle = func(t *statem.Turn[string], e statem.Event) error {
			f.report(t, e)
			switch {
			case e.Kind == statem.Call && t.State() == "start":
				t.Next("next")
				t.Internal(1)
				t.Insert(statem.Event{Kind: statem.StateTimeout, Content: 2})
				t.Insert(statem.Event{Kind: statem.EventTimeout, Content: 3})
				t.Insert(statem.Event{Kind: statem.Info, Content: 4})
				t.Insert(statem.Event{Kind: statem.Cast, Content: 5})
				t.Insert(statem.Event{Kind: statem.Timeout, Name: 6, Content: 6})
				t.Insert(e)
			case e.Kind == statem.Call:
				_ = t.Reply("stopped")
				return actor.ErrShutdown
			}
			return nil
		}
		pid := f.spawn(statem.New[string](m))
		f.probe.ExpectMessage(seen{statem.Internal, 0, "start"}, soon)
		f.probe.Monitor(pid)
		f.want(pid, "stop", "stopped")
		for i, kind := range []statem.Kind{statem.Call, statem.Internal, statem.StateTimeout, statem.EventTimeout, statem.Info, statem.Cast, statem.Timeout} {
			if got := next(f); got.kind != kind || i > 0 && got.content != i {
				f.Errorf("event %d: %v", i, got)
			}
		}
		f.probe.ExpectMessage(seen{statem.Call, "stop", "next"}, soon)
		f.probe.ExpectDown(pid, actor.ErrShutdown, soon)
	})
}

func TestGenericTimers(t *testing.T) {
	bubble(t, func(f *fixture) {
		var from actor.From
		began := time.Now()
		pid := f.spawn(statem.New[string](&script[string]{
			init: func(*statem.Turn[string]) (string, error) { return "start", nil },
			handle: func(t *statem.Turn[string], e statem.Event) error {
				f.report(t, e)
				switch {
				case t.State() == "start":
					t.Next("state1")
					t.Timeout("a", 1500*time.Millisecond, 1)
					t.StateTimeout(1500*time.Millisecond, 1)
					t.Timeout("b", time.Second, 1)
					t.Insert(e)
				case t.State() == "state1":
					from = t.From()
					t.Next("state2")
					t.Timeout("c", time.Until(time.Now().Add(500*time.Millisecond)), "c")
					t.Timeout("d", 0, "d")
					t.EventTimeout(0, 2)
					t.Timeout("b", statem.Infinity, 2)
					t.Timeout("a", time.Second, "a")
				case e.Name == "a":
					from.Reply(time.Since(began))
				}
				return nil
			},
		}))
		f.want(pid, "go", time.Second)
		f.wantSeen(seen{statem.Call, "go", "start"}, seen{statem.Call, "go", "state1"}, seen{statem.Timeout, "d", "state2"},
			seen{statem.Timeout, "c", "state2"}, seen{statem.Timeout, "a", "state2"})
	})
}

func TestHibernate(t *testing.T) {
	bubble(t, func(f *fixture) {
		pid := f.spawn(statem.New[string](&script[string]{handle: func(t *statem.Turn[string], e statem.Event) error {
			t.Hibernate()
			switch e.Content {
			case "postpone":
				t.Postpone()
				t.Timeout("kept", time.Second, 1)
			case "change":
				t.Next("other")
				t.Internal("now")
			default:
				f.report(t, e)
			}
			return t.Reply("ok")
		}}))
		_ = f.sys.Send(pid, "postpone")
		time.Sleep(2 * time.Second)
		f.wantSeen(seen{statem.Timeout, 1, ""})
		f.probe.Do(func(*actor.Self) error { return nil })
		_ = f.sys.Send(pid, "change")
		f.wantSeen(seen{statem.Internal, "now", "other"}) // and "postpone" waits again
	})
}

// OTP's change_callback_module, push_callback_module and pop_callback_module.
func TestPopTooMany(t *testing.T) {
	bubble(t, func(f *fixture) {
		named := func(name string) *entering[string] {
			m := &entering[string]{}
			m.enter = func(t *statem.Turn[string], _ string) error {
				_ = t.Self().Send(f.probe.PID(), name+" enters "+t.State())
				return nil
			}
			return m
		}
		a, b, c := named("a"), named("b"), named("c")
		handle := func(name string) func(t *statem.Turn[string], e statem.Event) error {
			return func(t *statem.Turn[string], e statem.Event) error {
				switch e.Content {
				case "push b":
					t.Push(b)
				case "change to c":
					t.Change(c)
					t.Next("changed")
				case "pop":
					t.Pop()
				}
				return t.Reply(name)
			}
		}
		a.handle, b.handle, c.handle = handle("a"), handle("b"), handle("c")
		a.init = func(*statem.Turn[string]) (string, error) { return "first", nil }
		pid := f.spawn(statem.New[string](a))
		f.probe.ExpectMessage("a enters first", soon)
		f.want(pid, "push b", "a")
		f.want(pid, "change to c", "b")
		f.probe.ExpectMessage("c enters changed", soon)
		f.want(pid, "pop", "c")
		f.want(pid, "who", "a")
		f.probe.Monitor(pid)
		_, _ = f.ask(pid, "pop")
		f.probe.ExpectDown(pid, statem.ErrPop, soon)
	})
}

func TestUndefTerminate1(t *testing.T) { // a machine without Terminate
	bubble(t, func(f *fixture) {
		pid := f.spawn(statem.New[string](&script[string]{handle: func(*statem.Turn[string], statem.Event) error { return nil }}))
		if err := statem.Stop(f.Context(), f.sys, pid, nil); err != nil {
			f.Error(err)
		}
	})
}

func TestUndefInTerminate(t *testing.T) { // it has one, which crashes
	bubble(t, func(f *fixture) {
		pid := f.spawn(statem.New[string](&handled{line{ended: func(string, error) { panic(errBoom) }}}))
		f.probe.Monitor(pid)
		f.wantFailed("stop", statem.Stop(f.Context(), f.sys, pid, nil), errBoom)
		f.probe.ExpectDown(pid, errBoom, soon)
	})
}

// next is the next event that the probe was told of.
func next(f *fixture) seen {
	f.Helper()
	return actortest.Expect[seen](f.probe, soon)
}

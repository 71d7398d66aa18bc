package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
)

func TestBlockedSendersGoOnInOrderWhenThereIsRoom(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid, open := gated(t, sys, probe, actor.Mailbox{Capacity: 2, Overflow: actor.OverflowBlock, Wait: time.Minute})
		const n = 50
		results := make(chan error, n)
		for i := range n {
			go func() { results <- sys.Send(pid, i) }()
			synctest.Wait()
		}
		if len(results) != 2 {
			t.Errorf("%d senders went on", len(results))
		}
		open()
		for i := range n {
			probe.ExpectMessage(i, soon) // nobody overtakes
		}
		for range n {
			if err := <-results; err != nil {
				t.Errorf("Send: %v", err)
			}
		}
	})
}

func TestBlockedSenderGivesUpAndLeavesItsPlaceToTheNext(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid, open := gated(t, sys, probe, actor.Mailbox{Capacity: 1, Overflow: actor.OverflowBlock, Wait: time.Second})
		tell(t, sys, pid, 0)
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- sys.Send(pid, 1) }()
		time.Sleep(time.Second / 2)
		go func() { second <- sys.Send(pid, 2) }()
		if err := <-first; err != actor.ErrMailboxFull {
			t.Errorf("first: %v", err)
		}
		open()
		if err := <-second; err != nil {
			t.Errorf("second: %v", err)
		}
		probe.ExpectMessage(0, soon)
		probe.ExpectMessage(2, soon)
	})
}

// TestNoPlaceIsLostWhenWaitsEndAsRoomIsMade has waits end at the very moment at which a place becomes free.
// Whatever happens, no place may get lost.
func TestNoPlaceIsLostWhenWaitsEndAsRoomIsMade(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		const wait = 10 * time.Millisecond
		pid := spawn(t, sys, &scripted{receive: func(*actor.Self, any) error { time.Sleep(wait); return nil }},
			actor.Mailbox{Capacity: 3, Overflow: actor.OverflowBlock, Wait: wait})
		for range 40 {
			for range 6 {
				go func() { _ = sys.Send(pid, 1) }()
			}
			time.Sleep(wait)
		}
		time.Sleep(time.Second)
		gate := make(chan struct{})
		tell(t, sys, pid, stuck(gate))
		synctest.Wait()
		for i := range 3 {
			tell(t, sys, pid, i)
		}
		if info, _ := sys.Info(pid); info.Queue != 3 {
			t.Errorf("queue is %d long", info.Queue)
		}
		began := time.Now()
		if err := sys.Send(pid, 4); err != actor.ErrMailboxFull || time.Since(began) != wait {
			t.Errorf("one too many: %v after %v", err, time.Since(began))
		}
		close(gate)
	})
}

func TestBlockedSendersAreReleasedByDeath(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid, open := gated(t, sys, probe, actor.Mailbox{Capacity: 1, Overflow: actor.OverflowBlock, Wait: time.Hour})
		tell(t, sys, pid, 0)
		results := make(chan error)
		for range 3 {
			go func() { results <- sys.Send(pid, 1) }()
		}
		go func() {
			_, err := actor.Call[any](context.Background(), sys, pid, 1)
			results <- err
		}()
		synctest.Wait()
		_ = sys.Exit(pid, errBoom)
		open()
		var errs []error
		for range 4 {
			errs = append(errs, <-results)
		}
		gone := func(err error) bool { return err == actor.ErrNoProc }
		ended := func(err error) bool { return errors.Is(err, errBoom) }
		if !slices.ContainsFunc(errs, ended) || !slices.ContainsFunc(errs, gone) {
			t.Errorf("errors: %v", errs)
		}
	})
}

// slowNames takes a while to free a name.
type slowNames struct{ clusterNames }

func (n slowNames) Unregister(name string, pid actor.PID) {
	<-time.After(time.Second)
	n.clusterNames.Unregister(name, pid)
}

// TestCallThatWaitsForRoomFailsWithTheReasonOfTheEnd has a callee end slowly: whoever
// waits for room in its mailbox is told why, and not before its names are free.
func TestCallThatWaitsForRoomFailsWithTheReasonOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := clusterNames{}
		sys := actortest.NewSystemConfig(t, actor.Config{Names: slowNames{names}})
		gate := make(chan struct{})
		pid := spawn(t, sys, &scripted{receive: func(*actor.Self, any) error { <-gate; return nil }}, actor.ClusterName("c"),
			actor.Mailbox{Capacity: 1, Overflow: actor.OverflowBlock, Wait: time.Hour})
		tell(t, sys, pid, "handled")
		synctest.Wait()
		tell(t, sys, pid, "in the mailbox")
		ended := func(err, want error) {
			if _, taken := names["c"]; !errors.Is(err, want) || taken {
				t.Errorf("%v, want %v; the name is taken: %v", err, want, taken)
			}
		}
		var waiting sync.WaitGroup
		waiting.Go(func() {
			_, err := actor.Call[any](context.Background(), sys, pid, 1)
			ended(err, errBoom)
		})
		waiting.Go(func() { ended(sys.Send(pid, 1), actor.ErrNoProc) })
		synctest.Wait()
		_ = sys.Exit(pid, errBoom)
		close(gate)
		waiting.Wait()
	})
}

// TestProcessBlockedInASendCanBeEnded sees to it that a process that waits for room still obeys.
func TestProcessBlockedInASendCanBeEnded(t *testing.T) {
	for name, end := range map[string]struct {
		reason error
		trap   bool
	}{"exit": {reason: errBoom}, "kill": {reason: actor.ErrKilled}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
				full, open := gated(t, sys, probe, actor.Mailbox{Capacity: 1, Overflow: actor.OverflowBlock, Wait: time.Hour})
				tell(t, sys, full, 0)
				for _, act := range []func(self *actor.Self) error{
					func(self *actor.Self) error { return self.Send(full, 1) },
					func(self *actor.Self) error {
						_, err := actor.Call[any](context.Background(), self, full, 1)
						return err
					},
				} {
					pid := spawn(t, sys, echo())
					probe.Monitor(pid)
					tell(t, sys, pid, do(func(self *actor.Self) error {
						if err := act(self); !errors.Is(err, end.reason) {
							t.Errorf("the wait ended with %v", err)
						}
						return nil
					}))
					synctest.Wait()
					began := time.Now()
					_ = sys.Exit(pid, end.reason)
					probe.ExpectDown(pid, end.reason, soon)
					if d := time.Since(began); d != 0 {
						t.Errorf("took %v", d)
					}
				}
				open()
				probe.ExpectMessage(0, soon)
				probe.ExpectNothing(time.Minute)
			})
		})
	}
}

func TestCallIntoAFullMailbox(t *testing.T) {
	short := func(t *testing.T) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		t.Cleanup(cancel)
		return ctx
	}
	for _, c := range []struct {
		mailbox actor.Mailbox
		ctx     func(*testing.T) context.Context
		want    error
		after   time.Duration
	}{
		{actor.Mailbox{Capacity: 1}, short, actor.ErrMailboxFull, 0},
		{actor.Mailbox{Capacity: 1, Overflow: actor.OverflowDropNewest}, short, actor.ErrMailboxFull, 0},
		{actor.Mailbox{Capacity: 1, Overflow: actor.OverflowDropOldest}, short, actor.ErrTimeout, time.Second},
		{actor.Mailbox{Capacity: 1, Overflow: actor.OverflowBlock, Wait: time.Second / 2}, short, actor.ErrMailboxFull, time.Second / 2},
		{actor.Mailbox{Capacity: 1, Overflow: actor.OverflowBlock, Wait: time.Hour}, short, actor.ErrTimeout, time.Second},
		{actor.Mailbox{Capacity: 1, Overflow: actor.OverflowBlock, Wait: time.Hour}, (*testing.T).Context, actor.ErrTimeout, actor.DefaultCallTimeout},
		{actor.Mailbox{Capacity: 1, Overflow: actor.OverflowBlock, Wait: time.Hour}, func(t *testing.T) context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			return ctx
		}, context.Canceled, time.Second},
	} {
		t.Run(fmt.Sprintf("%v after %v", c.mailbox.Overflow, c.after), func(t *testing.T) {
			bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
				pid, open := gated(t, sys, probe, c.mailbox)
				tell(t, sys, pid, "first")
				began := time.Now()
				_, err := actor.Call[any](c.ctx(t), sys, pid, "call")
				if !errors.Is(err, c.want) || time.Since(began) != c.after {
					t.Errorf("%v after %v", err, time.Since(began))
				}
				if info, _ := sys.Info(pid); info.Calls != 0 {
					t.Errorf("%d calls left in custody", info.Calls)
				}
				open()
			})
		})
	}
}

func TestCallDroppedAsOldestFailsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, sys *actor.System, probe *actortest.Probe) {
		pid, open := gated(t, sys, probe, actor.Mailbox{Capacity: 1, Overflow: actor.OverflowDropOldest})
		result := make(chan error)
		began := time.Now()
		go func() {
			_, err := actor.Call[any](context.Background(), sys, pid, "call")
			result <- err
		}()
		synctest.Wait()
		tell(t, sys, pid, "newer")
		if err := <-result; !errors.Is(err, actor.ErrMailboxFull) || time.Since(began) != 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		open()
		probe.ExpectMessage("newer", soon)
	})
}

package actor_test

import (
	"context"
	"testing"

	"github.com/topos-go/topos/actor"
)

// TestLinkingAgainWithAProcessThatEndsKeepsItsReason holds up the end of a
// process between the moment it cannot be found any more and the moment its
// links fire, by an observer that is slow to hear of its mail.
func TestLinkingAgainWithAProcessThatEndsKeepsItsReason(t *testing.T) {
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	gone, fire := make(chan struct{}), make(chan struct{})
	defer sys.Observe(func(e actor.Event) {
		if d, ok := e.(actor.DeadLetter); ok && d.Message == "unread" {
			close(gone)
			<-fire
		}
	})()
	other, err := sys.Spawn(t.Context(), actor.Func(func(self *actor.Self, msg any) error {
		if err := self.Send(self.PID(), "unread"); err != nil {
			return err
		}
		return msg.(error)
	}))
	if err != nil {
		t.Fatal(err)
	}
	relinked, exits := make(chan struct{}), make(chan actor.Exit, 2)
	linker, err := sys.Spawn(t.Context(), &awaiter{
		init: func(self *actor.Self) error { self.TrapExit(true); return self.Link(other) },
		receive: func(self *actor.Self, msg any) error {
			if exit, ok := msg.(actor.Exit); ok {
				exits <- exit
				return nil
			}
			defer close(relinked)
			return self.Link(other)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := sys.Send(other, errAwaited); err != nil {
		t.Fatal(err)
	}
	<-gone
	if err := sys.Send(linker, "again"); err != nil {
		t.Fatal(err)
	}
	<-relinked
	close(fire)
	if exit := <-exits; exit.From != other || exit.Reason != errAwaited {
		t.Errorf("received %+v, want the reason %v", exit, errAwaited)
	}
	if err := sys.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if len(exits) != 0 {
		t.Errorf("received %+v too", <-exits)
	}
}

package remote

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/topos-go/topos/remote/memory"
)

// What an overdue timeout waits for may be among what drive has been told, or among
// what readers tell it as soon as it has room.
func TestDriveHearsAllThatWaitsBeforeTimePasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := New(Config{Name: "a", Secret: "a secret of some length", Listen: "a:1", Transport: memory.NewNetwork().Host("a")})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close(context.Background())
		if n.core, err = newMembership(&n.cfg, overlayNode(n.id), nil, 1); err != nil {
			t.Fatal(err)
		}
		answers := make(chan error, 10*cap(n.inbox))
		for range cap(answers) {
			go n.post(announcement{envelope: envelop("news", nil), answer: answers})
		}
		synctest.Wait()
		n.catchUp()
		synctest.Wait()
		if len(answers) != cap(answers) || len(n.inbox) > 0 {
			t.Errorf("of %d that waited, %d were heard", cap(answers), len(answers))
		}
	})
}

// However much there is, time passes before all of it is heard.
func TestDriveLetsTimePassHoweverMuchWaits(t *testing.T) {
	n := &Node{inbox: make(chan any, 2*maxCatchUp)}
	for range cap(n.inbox) {
		n.inbox <- struct{}{} // which means nothing
	}
	if n.catchUp(); len(n.inbox) != maxCatchUp {
		t.Errorf("of %d, %d are left", cap(n.inbox), len(n.inbox))
	}
}

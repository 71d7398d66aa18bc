package statem_test

import (
	"context"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/statem"
)

// A door opens when the right digits have been pressed, and locks again after a
// while.
type doorState int

const (
	locked doorState = iota
	open
)

type digit rune

const (
	openFor  = 10 * time.Millisecond
	thinkFor = time.Minute // between two digits
)

type door struct {
	code, pressed string
	news          chan string
}

func (d *door) init(*statem.Turn[doorState]) (doorState, error) { return locked, nil }

func (d *door) enterLocked(_ *statem.Turn[doorState], _ doorState) error {
	d.pressed = ""
	d.news <- "locked"
	return nil
}

func (d *door) whenLocked(t *statem.Turn[doorState], e statem.Event) error {
	if e.Kind == statem.EventTimeout {
		d.pressed = ""
		return nil
	}
	d.pressed += string(e.Content.(digit))
	t.EventTimeout(thinkFor, nil)
	switch {
	case d.pressed == d.code:
		t.Next(open)
	case len(d.pressed) == len(d.code):
		t.Repeat() // enters "locked" again
	}
	return nil
}

func (d *door) enterOpen(t *statem.Turn[doorState], _ doorState) error {
	t.StateTimeout(openFor, nil)
	d.news <- "open"
	return nil
}

func (d *door) whenOpen(t *statem.Turn[doorState], e statem.Event) error {
	if e.Kind == statem.StateTimeout {
		t.Next(locked)
		return nil
	}
	t.Postpone() // digits are for a door that is locked
	return nil
}

func ExampleFunctions() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	d := &door{code: "42", news: make(chan string, 8)}
	pid, err := sys.Spawn(ctx, statem.New(statem.Functions(d.init, map[doorState]statem.State[doorState]{
		locked: {Handle: d.whenLocked, Enter: d.enterLocked},
		open:   {Handle: d.whenOpen, Enter: d.enterOpen},
	})))
	if err != nil {
		panic(err)
	}
	for _, pressed := range "1342" + "42" { // the last two while the door is open
		_ = sys.Send(pid, digit(pressed))
	}
	for range 5 {
		fmt.Println(<-d.news)
	}
	// Output:
	// locked
	// locked
	// open
	// locked
	// open
}

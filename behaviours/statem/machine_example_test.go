package statem_test

import (
	"context"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/statem"
)

// A printer is asked to print, and takes its time. Who asks meanwhile waits. It
// is one function for all states.
type printer struct {
	asked actor.From
	job   string
}

type (
	printJob struct{ text string }
	dried    struct{}
)

func (p *printer) Init(*statem.Turn[string]) (string, error) { return "idle", nil }

func (p *printer) Handle(t *statem.Turn[string], e statem.Event) error {
	switch job := e.Content.(type) {
	case printJob:
		if t.State() == "printing" {
			t.Postpone()
			return nil
		}
		p.asked, p.job = t.From(), job.text
		t.Next("printing")
	case dried:
		t.Next("idle")
	}
	return nil
}

// Enter starts what a state is about.
func (p *printer) Enter(t *statem.Turn[string], old string) error {
	fmt.Println(old, "->", t.State())
	if t.State() == "printing" {
		return t.Self().Send(t.Self().PID(), dried{})
	}
	p.asked.Reply("printed " + p.job) // nobody has asked at the start
	return nil
}

// Terminate switches the printer off.
func (p *printer) Terminate(t *statem.Turn[string], reason error) {
	fmt.Println("switched off while", t.State(), "because of", reason)
}

func ExampleNew() {
	ctx := context.Background()
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		panic(err)
	}
	defer sys.Close(ctx)
	pid, err := sys.Spawn(ctx, statem.New[string](new(printer)))
	if err != nil {
		panic(err)
	}
	fmt.Println(actor.Call[string](ctx, sys, pid, printJob{"a letter"}))
	fmt.Println(statem.Stop(ctx, sys, pid, nil))
	// Output:
	// idle -> idle
	// idle -> printing
	// printing -> idle
	// printed a letter <nil>
	// switched off while idle because of actor: normal
	// <nil>
}

package supervisor_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// counter counts, and crashes on what is no number.
type counter struct{ n int }

type get struct{}

func (c *counter) Receive(self *actor.Self, msg any) error {
	if _, ok := msg.(get); ok {
		return self.Reply(c.n)
	}
	c.n += msg.(int)
	return nil
}

// A counter that crashes is back, at zero, under the same name.
func Example() {
	ctx := context.Background()
	sys, _ := actor.NewSystem(actor.Config{})
	sup, err := supervisor.Spawn(ctx, sys, supervisor.Spec{
		Children: []supervisor.ChildSpec{{
			ID:    "counter",
			Start: actor.Start(func() actor.Actor { return new(counter) }, actor.Name("counter")),
		}},
	})
	if err != nil {
		panic(err)
	}
	sys.Send(actor.Name("counter"), 20)
	sys.Send(actor.Name("counter"), 22)
	n, err := actor.Call[int](ctx, sys, actor.Name("counter"), get{})
	fmt.Println(n, err)

	first, _ := sys.Whereis("counter")
	_, err = actor.Call[int](ctx, sys, first, "crash") // fails with the panic
	var panicked *actor.PanicError
	fmt.Println(errors.As(err, &panicked))

	again := restarted(sys, sup, "counter")
	n, err = actor.Call[int](ctx, sys, again, get{})
	fmt.Println(n, err, again != first)
	sys.Close(ctx)
	// Output:
	// 42 <nil>
	// true
	// 0 <nil> true
}

// restarted waits until a child has been restarted, and returns its PID.
func restarted(sys *actor.System, sup actor.Address, id string) actor.PID {
	for {
		child, err := supervisor.WhichChild(context.Background(), sys, sup, id)
		if err != nil || child.Restarts > 0 && child.Status == supervisor.Running {
			return child.PID
		}
	}
}

// chatty is a child that says what happens to it.
func chatty(name string) supervisor.ChildSpec {
	return supervisor.ChildSpec{ID: name, Start: actor.Start(func() actor.Actor { return talker(name) }, actor.Name(name))}
}

type talker string

func (t talker) Init(*actor.Self) error                { fmt.Println("start", t); return nil }
func (t talker) Receive(_ *actor.Self, msg any) error  { return msg.(error) }
func (t talker) Terminate(_ *actor.Self, reason error) { fmt.Println("stop", t, "-", reason) }

// The children of a RestForOne supervisor depend on those before them. When one
// crashes, those after it are stopped and all of them started again.
func ExampleSpec() {
	ctx := context.Background()
	sys, _ := actor.NewSystem(actor.Config{})
	sup, _ := supervisor.Spawn(ctx, sys, supervisor.Spec{
		Strategy:  supervisor.RestForOne,
		Intensity: supervisor.AtMost(3),
		Children:  []supervisor.ChildSpec{chatty("disk"), chatty("index"), chatty("search")},
	})
	sys.Send(actor.Name("index"), errors.New("corrupt"))
	restarted(sys, sup, "index")
	fmt.Println("now all are stopped")
	sys.Close(ctx)
	// Output:
	// start disk
	// start index
	// start search
	// stop index - corrupt
	// stop search - actor: shutdown
	// start index
	// start search
	// now all are stopped
	// stop search - actor: shutdown
	// stop index - actor: shutdown
	// stop disk - actor: shutdown
}

// AtMost(0) can be said, and means that the first crash is one too many.
func ExampleAtMost() {
	ctx := context.Background()
	sys, _ := actor.NewSystem(actor.Config{})
	fmt.Println(supervisor.Run(ctx, sys, supervisor.Spec{
		Intensity: supervisor.AtMost(0),
		Children: []supervisor.ChildSpec{{
			ID:    "hasty",
			Start: supervisor.Service(func(context.Context) error { return errors.New("no disk") }),
		}},
	}, 0))
	sys.Close(ctx)
	// Output:
	// supervisor: too many restarts: child "hasty": no disk
}

// Every mistake in a Spec is reported at once.
func ExampleSpec_Validate() {
	spec := supervisor.Spec{
		Period: -1,
		Children: []supervisor.ChildSpec{
			{ID: "db"},
			chatty("web"),
			chatty("web"),
		},
	}
	fmt.Println(spec.Validate())
	// Output:
	// supervisor: invalid spec: Period -1ns is negative
	// supervisor: invalid spec: child "db": no Start
	// supervisor: invalid spec: child "web": another child has the same ID
}

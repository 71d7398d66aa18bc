package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// A supervisor is a child of another. Its end by too many restarts is for the
// other to deal with.
func ExampleChild() {
	ctx := context.Background()
	sys, _ := actor.NewSystem(actor.Config{})
	top, _ := supervisor.Spawn(ctx, sys, supervisor.Spec{
		Children: []supervisor.ChildSpec{
			supervisor.Child("storage", supervisor.Spec{
				Intensity: supervisor.AtMost(0),
				Children:  []supervisor.ChildSpec{chatty("disk"), chatty("index")},
			}),
		},
	})
	sys.Send(actor.Name("disk"), errors.New("unreadable"))
	restarted(sys, top, "storage")
	fmt.Println("storage was restarted")
	sys.Close(ctx)
	// Output:
	// start disk
	// start index
	// stop disk - unreadable
	// stop index - actor: shutdown
	// start disk
	// start index
	// storage was restarted
	// stop index - actor: shutdown
	// stop disk - actor: shutdown
}

// With StartWith the Spec is made at each start, here from what a file might
// say at that moment.
func ExampleStartWith() {
	ctx := context.Background()
	sys, _ := actor.NewSystem(actor.Config{})
	shards := []string{"shard1"}
	top, _ := supervisor.Spawn(ctx, sys, supervisor.Spec{Children: []supervisor.ChildSpec{{
		ID:   "shards",
		Type: supervisor.Supervisor,
		Start: supervisor.StartWith(func(...any) (supervisor.Spec, error) {
			var spec supervisor.Spec
			for _, name := range shards {
				spec.Children = append(spec.Children, chatty(name))
			}
			return spec, nil
		}),
	}}})
	supervisor.TerminateChild(ctx, sys, top, "shards")
	shards = append(shards, "shard2")
	supervisor.RestartChild(ctx, sys, top, "shards")
	sys.Close(ctx)
	// Output:
	// start shard1
	// stop shard1 - actor: shutdown
	// start shard1
	// start shard2
	// stop shard2 - actor: shutdown
	// stop shard1 - actor: shutdown
}

// A supervisor whose job is one job ends with it.
func ExampleAutoShutdown() {
	ctx := context.Background()
	sys, _ := actor.NewSystem(actor.Config{})
	err := supervisor.Run(ctx, sys, supervisor.Spec{
		AutoShutdown: supervisor.AnySignificant,
		Children: []supervisor.ChildSpec{
			chatty("helper"),
			{
				ID: "job",
				Start: supervisor.Service(func(context.Context) error {
					fmt.Println("the job is done")
					return nil
				}),
				Restart:     supervisor.Transient,
				Significant: true,
			},
		},
	}, 0)
	fmt.Println(err)
	sys.Close(ctx)
	// Output:
	// start helper
	// the job is done
	// stop helper - actor: shutdown
	// <nil>
}

// UpdateSpec changes a supervisor while it runs. Nobody loses a process.
func ExampleUpdateSpec() {
	ctx := context.Background()
	sys, _ := actor.NewSystem(actor.Config{})
	sup, _ := supervisor.Spawn(ctx, sys, supervisor.Spec{Children: []supervisor.ChildSpec{chatty("db")}})
	patient := chatty("db")
	patient.Shutdown = time.Minute
	supervisor.UpdateSpec(ctx, sys, sup, supervisor.Spec{
		Strategy: supervisor.OneForAll,
		Children: []supervisor.ChildSpec{chatty("log"), patient},
	})
	children, _ := supervisor.WhichChildren(ctx, sys, sup)
	for _, c := range children {
		spec, _ := supervisor.ChildSpecOf(ctx, sys, sup, c.ID)
		fmt.Println(c.ID, c.Status, spec.Shutdown)
	}
	sys.Close(ctx)
	// Output:
	// start db
	// log stopped 5s
	// db running 1m0s
	// stop db - actor: shutdown
}

// The parts of a program, in any order; Run starts them by what they depend on
// and stops them in the reverse order. Here one of them says when it is done; a
// real program hands Run a context from signal.NotifyContext.
func ExampleRun() {
	ctx, finish := context.WithCancel(context.Background())
	sys, _ := actor.NewSystem(actor.Config{})
	subsystem := func(name string) actor.StartFunc {
		return supervisor.Start(supervisor.Spec{Children: []supervisor.ChildSpec{chatty(name)}})
	}
	spec, err := supervisor.Applications(
		supervisor.App{Name: "web", DependsOn: []string{"db", "auth"}, Start: subsystem("web")},
		supervisor.App{Name: "auth", DependsOn: []string{"db"}, Start: subsystem("auth")},
		supervisor.App{Name: "db", Start: subsystem("db")},
		supervisor.App{Name: "main", DependsOn: []string{"web"}, Start: supervisor.Service(func(ctx context.Context) error {
			fmt.Println("working")
			finish()
			<-ctx.Done()
			return nil
		})},
	)
	if err == nil {
		err = supervisor.Run(ctx, sys, spec, 10*time.Second)
	}
	fmt.Println("done:", err)
	sys.Close(context.Background())
	// Output:
	// start db
	// start auth
	// start web
	// working
	// stop web - actor: shutdown
	// stop auth - actor: shutdown
	// stop db - actor: shutdown
	// done: <nil>
}

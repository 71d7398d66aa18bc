// Chat is a chat server with presence over several nodes: a lobby on each, and
// none in the middle. In Erlang it would be a gen_server with pg, monitors and
// net_kernel:monitor_nodes.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// start starts a node with a lobby.
func start(ctx context.Context, name string, join ...string) (*topos.Node, error) {
	node, err := topos.Start(ctx, topos.Config{
		Name: name, Cluster: "chat", Secret: "not so secret in an example", Join: join,
		Types: topos.Types(Present{}, Said{}), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	return node, supervise(ctx, node)
}

// supervise starts the lobby of node.
func supervise(ctx context.Context, node *topos.Node) error {
	_, err := node.Supervise(ctx, supervisor.Spec{Children: []supervisor.ChildSpec{
		{ID: "lobby", Start: startLobby(node.Watch)},
	}})
	return err
}

// user is a process that hands what it hears to f.
func user(f func(Said)) actor.Actor {
	return actor.Func(func(_ *actor.Self, msg any) error {
		if m, ok := msg.(Said); ok {
			f(m)
		}
		return nil
	})
}

// enter lets a user join at a node.
func enter(ctx context.Context, node *topos.Node, nick string, f func(Said)) (actor.PID, error) {
	pid, err := node.Spawn(ctx, user(f), actor.Label(nick))
	if err != nil {
		return pid, err
	}
	_, err = actor.Call[string](ctx, node, lobbyName, join{nick, pid})
	return pid, err
}

func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	a, err := start(ctx, "a")
	if err != nil {
		return err
	}
	defer a.Close(context.Background())
	b, err := start(ctx, "b", a.Addr())
	if err != nil {
		return err
	}
	defer b.Close(context.Background())

	heard := make(chan Said, 1)
	if _, err := enter(ctx, a, "ann", func(m Said) { heard <- m }); err != nil {
		return err
	}
	if _, err := enter(ctx, b, "bob", func(Said) {}); err != nil {
		return err
	}
	if err := awaitPresence(ctx, a, "ann", "bob"); err != nil {
		return err
	}
	fmt.Fprintln(out, "present at a: ann bob")
	if err := b.Send(lobbyName, say{"bob", "hello"}); err != nil {
		return err
	}
	m := <-heard
	fmt.Fprintf(out, "ann hears %s say %s\n", m.Nick, m.Text)

	b.Kill()
	if err := awaitPresence(ctx, a, "ann"); err != nil {
		return err
	}
	fmt.Fprintln(out, "b is lost; present at a: ann")
	return nil
}

// awaitPresence returns when the lobby of node knows of exactly these.
func awaitPresence(ctx context.Context, node *topos.Node, nicks ...string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		got, err := actor.Call[[]string](ctx, node, lobbyName, who{})
		if err != nil {
			return err
		}
		if strings.Join(got, " ") == strings.Join(nicks, " ") {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("present are %v, want %v: %w", got, nicks, ctx.Err())
		}
	}
}

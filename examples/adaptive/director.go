package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/topos-go/topos/internal/crowd"
)

// grace is how long a member that is to leave may take.
const grace = 30 * time.Second

// director starts members, ends them, and waits for what comes of it.
type director struct {
	out        io.Writer
	secret     string
	crowd      crowd.Crowd[event]
	topologies map[int]string // of the members that are to stay
}

// direct plays all scenes.
func direct(ctx context.Context, limit time.Duration, out io.Writer) error {
	d := &director{out: out, secret: rand.Text(), topologies: make(map[int]string)}
	defer d.crowd.End()
	for _, scene := range []struct {
		title    string
		play     func(ctx context.Context) error
		topology string
	}{
		{"three nodes", func(ctx context.Context) error { return d.start(ctx, 3) }, "fullmesh"},
		{"four more join", func(ctx context.Context) error { return d.start(ctx, 4) }, "hyparview"},
		{"n0, the lowest, is killed, and n5 and n6 leave", func(context.Context) error {
			delete(d.topologies, 0)
			err := d.crowd.Kill(0)
			d.leave(5, 6)
			return err
		}, "clientserver"},
		{"n3 and n4 leave", func(context.Context) error { d.leave(3, 4); return nil }, "fullmesh"},
	} {
		fmt.Fprintln(out, "--", scene.title)
		ctx, cancel := context.WithTimeout(ctx, limit)
		err := scene.play(ctx)
		if err == nil {
			err = d.await(ctx, scene.topology)
		}
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", scene.title, err)
		}
		fmt.Fprintf(out, "   all %d nodes have %s\n", len(d.topologies), scene.topology)
	}
	return nil
}

// start starts n members more, each of which joins those before it.
func (d *director) start(ctx context.Context, n int) error {
	for range n {
		i := d.crowd.Add(fmt.Sprintf("n%d", d.crowd.Len()))
		if err := d.crowd.Start(i, d.secret); err != nil {
			return err
		}
		d.topologies[i] = "fullmesh"
		for d.crowd.Addr(i) == "" {
			if err := d.hear(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *director) leave(members ...int) {
	for _, i := range members {
		delete(d.topologies, i)
		d.crowd.Leave(i, grace)
	}
}

// hear takes in one event.
func (d *director) hear(ctx context.Context) error {
	h, err := d.crowd.Next(ctx)
	if err != nil {
		return err
	}
	if _, stays := d.topologies[h.Index]; !stays {
		return nil
	}
	switch e := h.Event; e.Kind {
	case "addr":
		d.crowd.Locate(h.Index, e.Text)
	case "topology":
		d.topologies[h.Index] = e.Text
	case "says":
		fmt.Fprintf(d.out, "   %s: %s\n", d.crowd.Name(h.Index), e.Text)
	}
	return nil
}

// await waits until all members have a topology.
func (d *director) await(ctx context.Context, topology string) error {
	for {
		all := true
		for _, has := range d.topologies {
			all = all && has == topology
		}
		if all {
			return nil
		}
		if err := d.hear(ctx); err != nil {
			return err
		}
	}
}

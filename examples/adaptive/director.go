package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// process is a member that runs.
type process struct {
	name     string
	cmd      *exec.Cmd
	stdin    io.Closer
	addr     string
	topology string
	read     chan struct{} // closed when nothing comes from it any more
}

// line is something that a member tells.
type line struct{ name, kind, text string }

// director starts members, ends them, and waits for what comes of it.
type director struct {
	out     io.Writer
	secret  string
	lines   chan line
	members map[string]*process
	next    int
	failed  error // a member that has ended by itself
}

// direct plays all scenes.
func direct(ctx context.Context, limit time.Duration, out io.Writer) (err error) {
	d := &director{out: out, secret: rand.Text(), lines: make(chan line, 100), members: make(map[string]*process)}
	defer func() {
		for _, name := range slices.Sorted(maps.Keys(d.members)) {
			d.end(name, true)
		}
	}()
	for _, scene := range []struct {
		title    string
		play     func() error
		topology string
	}{
		{"three nodes", func() error { return d.start(ctx, 3) }, "fullmesh"},
		{"four more join", func() error { return d.start(ctx, 4) }, "hyparview"},
		{"n0, the lowest, is killed, and n5 and n6 leave", func() error {
			d.end("n0", true)
			d.end("n5", false)
			d.end("n6", false)
			return nil
		}, "clientserver"},
		{"n3 and n4 leave", func() error {
			d.end("n3", false)
			d.end("n4", false)
			return nil
		}, "fullmesh"},
	} {
		fmt.Fprintln(out, "--", scene.title)
		ctx, cancel := context.WithTimeout(ctx, limit)
		err := scene.play()
		if err == nil {
			err = d.await(ctx, scene.topology)
		}
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", scene.title, err)
		}
		fmt.Fprintf(out, "   all %d nodes have %s\n", len(d.members), scene.topology)
	}
	return nil
}

// start starts n members more, the first of which the others join.
func (d *director) start(ctx context.Context, n int) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	for range n {
		p := &process{name: fmt.Sprintf("n%d", d.next), topology: "fullmesh", read: make(chan struct{})}
		d.next++
		desc := description{Name: p.name, Secret: d.secret}
		for _, other := range d.members {
			desc.Join = append(desc.Join, other.addr)
		}
		text, err := json.Marshal(desc)
		if err != nil {
			return err
		}
		p.cmd = exec.Command(program, "-member", string(text))
		p.cmd.Stderr = os.Stderr
		if p.stdin, err = p.cmd.StdinPipe(); err != nil {
			return err
		}
		out, err := p.cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := p.cmd.Start(); err != nil {
			return err
		}
		d.members[p.name] = p
		go d.read(p, out) // ends with the process, which end waits for
		for p.addr == "" {
			if err := d.hear(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *director) read(p *process, out io.Reader) {
	defer close(p.read)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		kind, text, _ := strings.Cut(lines.Text(), " ")
		d.lines <- line{p.name, kind, text}
	}
	d.lines <- line{p.name, "gone", ""}
}

// hear takes in one line.
func (d *director) hear(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case l := <-d.lines:
		d.note(l)
		return d.failed
	}
}

// note takes in a line.
func (d *director) note(l line) {
	p := d.members[l.name]
	switch {
	case p == nil: // it has been ended
	case l.kind == "addr":
		p.addr = l.text
	case l.kind == "topology":
		p.topology = l.text
	case l.kind == "says":
		fmt.Fprintf(d.out, "   %s: %s\n", l.name, l.text)
	case l.kind == "gone":
		d.failed = fmt.Errorf("%s has ended by itself", l.name)
	}
}

// await waits until all members have a topology.
func (d *director) await(ctx context.Context, topology string) error {
	for {
		all := true
		for _, p := range d.members {
			all = all && p.topology == topology
		}
		if all {
			return nil
		}
		if err := d.hear(ctx); err != nil {
			return err
		}
	}
}

// end ends a member, by SIGKILL or by asking it to leave, and waits for it.
func (d *director) end(name string, kill bool) {
	p := d.members[name]
	delete(d.members, name)
	if kill {
		_ = p.cmd.Process.Kill()
	}
	_ = p.stdin.Close()
	for {
		select {
		case <-p.read:
			_ = p.cmd.Wait()
			return
		case l := <-d.lines: // nobody must be held up by this wait
			d.note(l)
		}
	}
}

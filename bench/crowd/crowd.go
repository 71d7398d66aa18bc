package crowd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// Flag is the first argument of a program that is started as a member; the second
// is its setup.
const Flag = "-member"

// Setup is what a member is told at its start.
type Setup struct {
	Index  int
	Listen string   // where the node listens, in every life of this member
	Join   []string // where the others do
	Extra  json.RawMessage
}

// Heard is an event of a member, of type E.
type Heard[E any] struct {
	Index int
	Gone  bool // the process has ended; there is no event
	Event E
}

// Crowd is the processes. Its methods are for one goroutine. The zero value is not
// useful: see New.
type Crowd[E any] struct {
	heard   chan Heard[E]
	addrs   []string
	members []*process
}

// process is one life of a member.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *json.Encoder
	done chan struct{} // closed when it has ended and all its events are in
}

// backlog bounds the events that nobody has read: readers wait beyond that.
const backlog = 1 << 14

// New returns a crowd of n members, none of which has been started.
func New[E any](n int) (*Crowd[E], error) {
	addrs, err := freeAddrs(n)
	if err != nil {
		return nil, err
	}
	return &Crowd[E]{heard: make(chan Heard[E], backlog), addrs: addrs, members: make([]*process, n)}, nil
}

// Len is how many members there are, running or not.
func (c *Crowd[E]) Len() int { return len(c.members) }

// Addr is where member i listens.
func (c *Crowd[E]) Addr(i int) string { return c.addrs[i] }

// Start starts member i, for the first time or after Kill. It waits for the end of
// the former life.
func (c *Crowd[E]) Start(i int, extra any) error {
	if p := c.members[i]; p != nil {
		<-p.done
	}
	setup := Setup{Index: i, Listen: c.addrs[i]}
	for j, addr := range c.addrs {
		if j != i {
			setup.Join = append(setup.Join, addr)
		}
	}
	var err error
	if setup.Extra, err = json.Marshal(extra); err != nil {
		return err
	}
	config, err := json.Marshal(setup)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	p := &process{cmd: exec.Command(program, Flag, string(config)), done: make(chan struct{})}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("crowd: member %d: %w", i, err)
	}
	p.out = json.NewEncoder(p.in)
	c.members[i] = p
	go func() { // owned by Start and End, which wait for done
		defer close(p.done)
		decoder := json.NewDecoder(bufio.NewReader(out))
		for {
			h := Heard[E]{Index: i}
			if decoder.Decode(&h.Event) != nil {
				break
			}
			c.heard <- h
		}
		_ = p.cmd.Wait() // a killed process has no success
		c.heard <- Heard[E]{Index: i, Gone: true}
	}()
	return nil
}

// Tell sends command to member i. To a dead process nothing can be told, and nothing
// is: its end is heard.
func (c *Crowd[E]) Tell(i int, command any) { _ = c.members[i].out.Encode(command) }

// TellAll sends command to every member.
func (c *Crowd[E]) TellAll(command any) {
	for i := range c.members {
		c.Tell(i, command)
	}
}

// Next waits for the next event. Those of one member come in order.
func (c *Crowd[E]) Next(ctx context.Context) (Heard[E], error) {
	select {
	case h := <-c.heard:
		return h, nil
	case <-ctx.Done():
		return Heard[E]{}, ctx.Err()
	}
}

// Kill ends member i at once: it can do nothing about it.
func (c *Crowd[E]) Kill(i int) error { return c.members[i].cmd.Process.Kill() }

// Stop freezes member i: its connections stand and nobody answers.
func (c *Crowd[E]) Stop(i int) error { return freeze(c.members[i].cmd.Process) }

// Continue lets a stopped member go on.
func (c *Crowd[E]) Continue(i int) error { return thaw(c.members[i].cmd.Process) }

// End kills all members and returns when they have ended.
func (c *Crowd[E]) End() {
	for _, p := range c.members {
		if p != nil {
			_ = p.cmd.Process.Kill() // may have ended; ends a stopped one too
			p.in.Close()
		}
	}
	for _, p := range c.members {
		for ended := p == nil; !ended; {
			select {
			case <-c.heard: // lets its reader go on
			case <-p.done:
				ended = true
			}
		}
	}
}

// Member returns the setup of a program that was started as a member.
func Member(args []string) (setup Setup, ok bool, err error) {
	if len(args) < 3 || args[1] != Flag {
		return Setup{}, false, nil
	}
	err = json.Unmarshal([]byte(args[2]), &setup)
	return setup, true, err
}

// Serve is a member's end of the pipes: commands ends when the director is gone, tell
// may be called by any goroutine.
func Serve[C, E any](in io.Reader, out io.Writer) (commands <-chan C, tell func(E)) {
	ch := make(chan C)
	go func() { // ends with in, which is the process's own
		defer close(ch)
		decoder := json.NewDecoder(in)
		for {
			var c C
			if decoder.Decode(&c) != nil {
				return
			}
			ch <- c
		}
	}()
	var mu sync.Mutex
	encoder := json.NewEncoder(out)
	return ch, func(e E) {
		mu.Lock()
		defer mu.Unlock()
		_ = encoder.Encode(e) // nobody is left to hear of an error
	}
}

// ErrGone is returned by a director for a member that ended of itself.
var ErrGone = errors.New("crowd: member ended")

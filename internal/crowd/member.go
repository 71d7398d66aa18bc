package crowd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Flag is the first argument of a program that is started as a member; the second
// is its setup.
const Flag = "-member"

// Setup is what a member is told at its start.
type Setup struct {
	Index  int
	Name   string
	Listen string          `json:",omitempty"` // where the node listens, in every life of this member; "": anywhere
	Join   []string        `json:",omitempty"` // where others do
	Extra  json.RawMessage // of Start
}

// Decode sets what extra points to, to what Start was given.
func (s Setup) Decode(extra any) error { return json.Unmarshal(s.Extra, extra) }

// Member returns the setup of a program that was started as a member.
func Member(args []string) (setup Setup, ok bool, err error) {
	if len(args) < 3 || args[1] != Flag {
		return Setup{}, false, nil
	}
	err = json.Unmarshal([]byte(args[2]), &setup)
	return setup, true, err
}

// Run runs member if this program was started as one, and returns its error, which the
// director hears of. The member must return when commands ends: the director is gone,
// or has told it to leave. A command that is not a C ends them too, and is an error.
// Any goroutine may call tell, which waits until the director takes it in.
func Run[C, E any](ctx context.Context, args []string, in io.Reader, out io.Writer,
	member func(ctx context.Context, setup Setup, commands <-chan C, tell func(E)) error,
) (ok bool, err error) {
	setup, ok, err := Member(args)
	if !ok || err != nil {
		return ok, err
	}
	v := &voice[E]{out: json.NewEncoder(out)}
	returned := make(chan struct{})
	defer close(returned)
	if err = member(ctx, setup, hear[C](in, v, returned), v.tell); err != nil {
		v.say(frame[E]{Failed: err.Error()})
	}
	return true, err
}

// frame is what a member says at a time: an event, or why it fails.
type frame[E any] struct {
	Event  E
	Failed string `json:",omitempty"`
}

// voice is how a member speaks.
type voice[E any] struct {
	mu  sync.Mutex
	out *json.Encoder
}

func (v *voice[E]) say(f frame[E]) {
	v.mu.Lock()
	defer v.mu.Unlock()
	_ = v.out.Encode(f) // nobody is left to hear of an error
}

func (v *voice[E]) tell(event E) { v.say(frame[E]{Event: event}) }

// waiting is how many commands a member may be behind before the pipe fills.
const waiting = 16

// hear returns the commands that come in, until in ends or nobody takes them any more.
func hear[C, E any](in io.Reader, v *voice[E], returned <-chan struct{}) <-chan C {
	commands := make(chan C, waiting)
	go func() { // ends with in, which is the process's own, or is closed when the member has returned
		defer close(commands)
		decoder := json.NewDecoder(in)
		decoder.DisallowUnknownFields()
		for {
			var c C
			switch err := decoder.Decode(&c); {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				v.say(frame[E]{Failed: fmt.Sprintf("crowd: what it was told is no command: %v", err)})
				return
			}
			select {
			case commands <- c:
			case <-returned:
				return
			}
		}
	}()
	return commands
}

// Main is main of a program, director or member: it runs until it is done, or is told
// to end by a signal. What has gone wrong is said on the standard error, behind name,
// and ends with status 1.
func Main(name string, program Program) {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := program(ctx, os.Args, os.Stdin, os.Stdout)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}

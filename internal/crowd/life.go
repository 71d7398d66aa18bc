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
	"sync/atomic"
	"time"
)

// Program is a program, director or member, as its main calls it.
type Program func(ctx context.Context, args []string, in io.Reader, out io.Writer) error

// life is one life of a member, from begin to bury. What is not said to be
// otherwise is the director's.
type life struct {
	of    *member
	index int
	cmd   *exec.Cmd // nil: it runs in this process
	in    io.Closer
	out   *json.Encoder
	kill  func() error // for any goroutine
	wait  func() error // for the listener: returns when it has ended, whatever it still says
	done  chan struct{}

	killed, leaving, over bool

	grace time.Duration
	alarm *time.Timer // of a leaving one
	ended atomic.Bool // set by the listener
	late  atomic.Bool // set by alarm
}

var errNoStop = errors.New("crowd: this cannot be stopped and go on")

// begin starts a life, whose output the caller reads to its end.
func begin(p Program, config string) (*life, io.Reader, error) {
	l := &life{done: make(chan struct{})}
	if p != nil {
		return l, l.inside(p, config), nil
	}
	program, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	l.cmd = exec.Command(program, Flag, config)
	l.cmd.Stderr = os.Stderr
	in, err := l.cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := l.cmd.Start(); err != nil {
		return nil, nil, err
	}
	l.in, l.out = in, json.NewEncoder(in)
	l.kill, l.wait = l.cmd.Process.Kill, l.cmd.Wait
	return l, out, nil
}

// inside runs p in this process.
func (l *life) inside(p Program, config string) (out io.Reader) {
	ctx, cancel := context.WithCancel(context.Background())
	theirIn, in := io.Pipe()
	out, theirOut := io.Pipe()
	ended := make(chan error, 1)
	go func() { // owned by wait
		err := p(ctx, []string{"", Flag, config}, theirIn, theirOut)
		theirOut.Close()
		theirIn.Close()
		ended <- err
	}()
	l.in, l.out = in, json.NewEncoder(in)
	l.kill = func() error {
		cancel()
		return in.Close()
	}
	l.wait = func() error {
		defer cancel()
		out.(io.Closer).Close()
		return <-ended
	}
	return out
}

// listen passes on what a member says, to its end.
func listen[E any](l *life, out io.Reader, to chan<- said[E]) {
	defer close(l.done)
	var failed, garbled error
	for decoder := json.NewDecoder(bufio.NewReader(out)); ; {
		s := said[E]{of: l}
		if err := decoder.Decode(&s.frame); err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				garbled = fmt.Errorf("crowd: what it said is no event: %w", err)
				_ = l.kill() // nobody would read what it says
			}
			break
		}
		if s.Failed != "" {
			failed = errors.Join(failed, errors.New(s.Failed))
			continue
		}
		to <- s
	}
	why := l.wait()
	l.ended.Store(true)
	switch {
	case garbled != nil:
		why = garbled
	case failed != nil:
		why = failed // says more than the exit status
	}
	to <- said[E]{of: l, over: true, why: why}
}

// parting says that its end has come, or is to come.
func (l *life) parting() bool { return l.killed || l.leaving || l.over }

func (l *life) end() error {
	if err := l.kill(); err != nil {
		return err
	}
	l.killed = true
	l.in.Close()
	return nil
}

func (l *life) leave(grace time.Duration) {
	if l.parting() || l.ended.Load() {
		return
	}
	l.leaving, l.grace = true, grace
	l.in.Close()
	l.alarm = time.AfterFunc(grace, func() {
		if !l.ended.Load() {
			l.late.Store(true)
			_ = l.kill()
		}
	})
}

// signal does what only a process can have done to it.
func (l *life) signal(do func(*os.Process) error) error {
	if l.cmd == nil {
		return errNoStop
	}
	return do(l.cmd.Process)
}

// bury takes in the end of the life, and returns what is wrong with it.
func (l *life) bury(why error) error {
	l.over = true
	if l.alarm != nil {
		l.alarm.Stop()
	}
	switch {
	case l.killed:
		return nil
	case l.late.Load():
		return &endError{l.of.name, fmt.Sprintf("has not left within %v", l.grace), ErrLate, why}
	case !l.leaving:
		return &endError{l.of.name, "has ended by itself", ErrGone, why}
	case why != nil:
		return fmt.Errorf("%s: %w", l.of.name, why)
	}
	return nil
}

// endError is the end of a life that was not to end so.
type endError struct {
	name, how string
	kind, why error // why may be nil
}

func (e *endError) Error() string {
	if e.why == nil {
		return e.name + " " + e.how
	}
	return fmt.Sprintf("%s %s: %v", e.name, e.how, e.why)
}

func (e *endError) Unwrap() []error {
	if e.why == nil {
		return []error{e.kind}
	}
	return []error{e.kind, e.why}
}

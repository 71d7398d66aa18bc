package main

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

// launchProcess starts a member as an operating-system process: this program
// again, told by its standard input and telling by its standard output.
func launchProcess(o options, events chan<- event) (*handle, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "-member", string(config))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (without the permission to start processes, try -inproc)", err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		decoder := json.NewDecoder(bufio.NewReader(out))
		for {
			e := event{Node: o.Index}
			if err := decoder.Decode(&e); err != nil {
				events <- event{Node: o.Index, Kind: "gone"}
				return
			}
			e.Node = o.Index
			events <- e
		}
	}()
	encoder := json.NewEncoder(in)
	killed := false
	return &handle{
		index: o.Index,
		tell:  func(c command) { _ = encoder.Encode(c) }, // to a dead process nothing can be told
		kill:  func() { killed = true; _ = cmd.Process.Kill() },
		wait: func() error {
			in.Close()
			<-read
			if err := cmd.Wait(); !killed {
				return err
			}
			return nil
		},
	}, nil
}

// serveMember is the other end: it runs a member on standard input and output.
func serveMember(ctx context.Context, config string, in io.Reader, out io.Writer) error {
	var o options
	if err := json.Unmarshal([]byte(config), &o); err != nil {
		return err
	}
	commands := make(chan command)
	go func() {
		defer close(commands) // the director is gone: so am I
		decoder := json.NewDecoder(in)
		for {
			var c command
			if decoder.Decode(&c) != nil {
				return
			}
			commands <- c
		}
	}()
	var mu sync.Mutex
	encoder := json.NewEncoder(out)
	tell := func(e event) {
		mu.Lock()
		defer mu.Unlock()
		_ = encoder.Encode(e) // nobody is left to hear of an error
	}
	m, err := startMember(ctx, o, tell)
	if err != nil {
		tell(event{Kind: "failed", Error: err.Error()})
		return err
	}
	err = m.run(ctx, commands)
	if err != nil {
		tell(event{Kind: "failed", Error: err.Error()})
	}
	return m.node.Close(ctx)
}

// launchInside starts a member in this process.
func launchInside(o options, events chan<- event) (*handle, error) {
	commands := make(chan command, 16)
	done := make(chan error, 1)
	tell := func(e event) {
		e.Node = o.Index
		events <- e
	}
	ctx, cancel := context.WithCancel(context.Background())
	m, err := startMember(ctx, o, tell)
	if err != nil {
		cancel()
		return nil, err
	}
	go func() {
		err := m.run(ctx, commands)
		tell(event{Kind: "gone"})
		if m.node.Err() == nil {
			err = errors.Join(err, m.node.Close(context.Background()))
		}
		done <- err
	}()
	return &handle{
		index: o.Index,
		tell:  func(c command) { commands <- c },
		kill: func() {
			m.node.Kill()
			cancel()
			close(commands)
		},
		wait: func() error {
			err := <-done
			cancel()
			return err
		},
	}, nil
}

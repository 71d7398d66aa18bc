package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// heard is an event and whose it is.
type heard struct {
	event
	from *handle
}

// handle is the director's grip on one member process.
type handle struct {
	name, addr string
	last       status // what it last told
	asked      int    // commands that it has not answered

	cmd  *exec.Cmd
	in   io.Closer
	tell *json.Encoder
	read chan struct{} // closed when all it had to say has been heard
}

// grace is how long a process that has been told to go may stay.
const grace = 5 * time.Second

// launch starts this program again as a member, whose events go to events. The
// last of them has the kind "gone". It must be ended with end; if this process
// is killed before, the member's input ends, and so does the member.
func launch(o options, events chan<- heard) (*handle, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	h := &handle{name: o.Name, cmd: exec.Command(program, "-member", string(config)), read: make(chan struct{})}
	h.cmd.Stderr = os.Stderr
	in, err := h.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := h.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", o.Name, err)
	}
	h.in, h.tell = in, json.NewEncoder(in)
	go func() { // ends with the process, which end waits for
		defer close(h.read)
		for decoder := json.NewDecoder(bufio.NewReader(out)); ; {
			var e event
			if decoder.Decode(&e) != nil {
				events <- heard{event{Kind: "gone"}, h}
				return
			}
			events <- heard{e, h}
		}
	}()
	return h, nil
}

// do tells the member what to do. To a dead one nothing can be told.
func (h *handle) do(c command) { _ = h.tell.Encode(c) }

// end lets the member leave, or ends its process if it does not, and waits for
// it. Somebody must go on taking its events.
func (h *handle) end() error {
	h.in.Close()
	late := time.AfterFunc(grace, func() { _ = h.cmd.Process.Kill() })
	defer late.Stop()
	<-h.read
	if err := h.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", h.name, err)
	}
	return nil
}

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
)

// handle is the director's grip on one member process.
type handle struct {
	name   string
	cmd    *exec.Cmd
	tell   *json.Encoder
	close  func()
	events chan event // closed when its output ends
	killed bool
}

// launch starts this program again as a member.
func launch(o options) (*handle, error) {
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
		return nil, err
	}
	h := &handle{name: o.Name, cmd: cmd, tell: json.NewEncoder(in), close: func() { in.Close() }, events: make(chan event, 4)}
	go func() { // ends with the process, which wait waits for
		defer close(h.events)
		for decoder := json.NewDecoder(bufio.NewReader(out)); ; {
			var e event
			if decoder.Decode(&e) != nil {
				return
			}
			h.events <- e
		}
	}()
	return h, nil
}

// do tells the member what to do. To a dead one nothing can be told.
func (h *handle) do(what string) { _ = h.tell.Encode(command{what}) }

func (h *handle) kill() {
	h.killed = true
	_ = h.cmd.Process.Kill()
}

// wait lets the member end and waits for it.
func (h *handle) wait() error {
	h.close()
	for range h.events { // until its output ends
	}
	if err := h.cmd.Wait(); err != nil && !h.killed {
		return fmt.Errorf("%s: %w", h.name, err)
	}
	return nil
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"time"

	"github.com/topos-go/topos/bench/pair"
)

// role is what one of a pair of processes is started for.
type role struct {
	server  bool
	listen  string
	ready   pair.Ready // the server's, for the client
	work    string
	length  time.Duration
	profile string
	cookie  string // what only the processes of this run know
}

// flags are those of package pair.
func (r role) flags() []string {
	if r.server {
		return []string{"-pair", "server", "-listen", r.listen}
	}
	list := []string{
		"-pair", "client", "-listen", r.listen, "-server", r.ready.Server, "-control", r.ready.Control,
		"-pair-work", r.work, "-length", r.length.String(),
	}
	if r.profile != "" {
		list = append(list, "-pair-profile", r.profile)
	}
	return list
}

func (s side) start(ctx context.Context, r role) *exec.Cmd {
	args := append(slices.Clone(s.command), r.flags()...)
	if s.node != nil {
		args = s.node(r)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = time.Second // for pipes that a child's child keeps open
	return cmd
}

// grace is how long a server may take to end by itself.
const grace = 2 * time.Second

var (
	errNotReady = errors.New("the server did not get ready")
	errEnded    = errors.New("the server ended")
	errLate     = errors.New("no result in time")
)

// pair starts a server, lets a client do the work of r with it, and ends both,
// within limit. It waits for both processes, whatever happens.
func (s side) pair(r role, limit time.Duration) (result pair.Result, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	srv, err := s.serve(ctx, r)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(late(limit), err)
		}
		return result, err
	}
	defer srv.end(cancel)
	listen, err := freeAddr()
	if err != nil {
		return result, err
	}
	r.server, r.listen, r.ready = false, listen, srv.ready
	clientCtx, stop := context.WithCancel(ctx)
	defer stop()
	client := s.start(clientCtx, r)
	var out, complaints bytes.Buffer
	client.Stdout, client.Stderr = &out, &complaints
	if err := client.Start(); err != nil {
		return result, err
	}
	done := make(chan error, 1)
	go func() { done <- client.Wait() }()
	select {
	case err = <-done:
	case <-srv.ended:
		stop()
		<-done
		if ctx.Err() != nil { // which has ended both
			return result, late(limit)
		}
		return result, fmt.Errorf("%w: %v: %s", errEnded, srv.err, firstLine(srv.complaints.Bytes()))
	}
	if ctx.Err() != nil {
		return result, late(limit)
	}
	if err != nil {
		return result, fmt.Errorf("client: %w: %s", err, firstLine(complaints.Bytes()))
	}
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		return result, fmt.Errorf("client: %w in %q", err, firstLine(out.Bytes()))
	}
	return result, nil
}

func late(limit time.Duration) error { return fmt.Errorf("%w, which is %v", errLate, limit) }

// server is a server process that is ready.
type server struct {
	ready      pair.Ready
	stdin      io.Closer
	complaints *bytes.Buffer
	ended      chan struct{} // closed when it has ended, with err
	err        error
}

func (s side) serve(ctx context.Context, r role) (*server, error) {
	listen, err := freeAddr()
	if err != nil {
		return nil, err
	}
	r.server, r.listen = true, listen
	cmd := s.start(ctx, r)
	srv := &server{complaints: new(bytes.Buffer), ended: make(chan struct{})}
	cmd.Stderr = srv.complaints
	// A pipe of our own, since Wait would close that of StdoutPipe while the
	// line is being read.
	out, in := io.Pipe()
	cmd.Stdout = in
	if srv.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		srv.err = cmd.Wait()
		in.Close()
		close(srv.ended)
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &srv.ready)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
	if err != nil {
		srv.stdin.Close()
		<-srv.ended // its output is broken or at its end, or ctx ends it
		return nil, fmt.Errorf("%w: %v: %s", errNotReady, srv.err, firstLine(srv.complaints.Bytes()))
	}
	return srv, nil
}

// end lets the process end by itself for a while, then kills it, and waits.
func (s *server) end(kill context.CancelFunc) {
	s.stdin.Close()
	select {
	case <-s.ended:
	case <-time.After(grace):
		kill()
		<-s.ended
	}
}

// freeAddr is an address of loopback that nobody listened at a moment ago.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

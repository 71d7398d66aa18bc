package pair

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

// Ready is what a server prints when it serves.
type Ready struct {
	// Server is what a client's -server is, Control its -control.
	Server  string `json:"server"`
	Control string `json:"control"`
}

// Options are the flags of a program that is one of the two processes.
type Options struct {
	role, listen, server, control, work, profile string
	// Length is about how long a work is to be measured. The parent of the two
	// processes may have the flag too.
	Length time.Duration
}

// Flags defines the flags.
func Flags(fs *flag.FlagSet) *Options {
	o := new(Options)
	fs.StringVar(&o.role, "pair", "", "be the server or the client of a pair of processes")
	fs.StringVar(&o.listen, "listen", "127.0.0.1:0", "the address of the node")
	fs.StringVar(&o.server, "server", "", "the server's address, for the client")
	fs.StringVar(&o.control, "control", "", "the server's control address, for the client")
	fs.StringVar(&o.work, "pair-work", "", "the work of the client")
	fs.DurationVar(&o.Length, "length", 0, "about how long a work between two processes is measured")
	fs.StringVar(&o.profile, "pair-profile", "", "write CPU profiles to files whose names begin so")
	return o
}

// Asked says that the program was started as one of the two processes.
func (o *Options) Asked() bool { return o.role != "" }

// Main is such a process, from flags to figures. A server ends when in does.
func Main(o *Options, side Side, in io.Reader, out io.Writer) error {
	switch o.role {
	case "server":
		return serve(o, side, in, out)
	case "client":
		r, err := do(o, side)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(r)
	}
	return fmt.Errorf("pair: neither server nor client: %q", o.role)
}

func serve(o *Options, side Side, in io.Reader, out io.Writer) error {
	sinks := make([]*Sink, Sinks)
	for i := range sinks {
		sinks[i] = new(Sink)
	}
	control, err := newControl(sinks)
	if err != nil {
		return err
	}
	defer control.close()
	server, err := side.Serve(o.listen, Receivers{Sinks: sinks})
	if err != nil {
		return fmt.Errorf("pair: server: %w", err)
	}
	err = json.NewEncoder(out).Encode(Ready{Server: server.Addr(), Control: control.listener.Addr().String()})
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	return errors.Join(err, server.Close())
}

func do(o *Options, side Side) (r Result, err error) {
	s, err := steer(o.control)
	if err != nil {
		return r, err
	}
	defer s.close()
	client, err := side.Dial(o.listen, o.server)
	if err != nil {
		return r, fmt.Errorf("pair: client: %w", err)
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	c := &session{side: side, client: client, steering: s, length: o.Length, profile: o.profile}
	return c.work(o.work)
}

// profiled begins the CPU profiles of both processes, if they are wanted, and
// returns what ends them.
func (c *session) profiled() (stop func() error, err error) {
	if c.profile == "" {
		return func() error { return nil }, nil
	}
	var file *os.File
	if err := startProfile(&file, c.profile+".client.pprof"); err != nil {
		return nil, err
	}
	_, err = c.steering.ask(order{What: orderProfile, File: c.profile + ".server.pprof"})
	return func() error {
		_, err := c.steering.ask(order{What: orderProfile})
		return errors.Join(err, startProfile(&file, ""))
	}, err
}

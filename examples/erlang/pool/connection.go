package main

import (
	"bufio"
	"fmt"
	"net"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
)

// query is a request to a connection, answered with a line of text.
type query string

// connection is a worker: one connection to a service that answers lines with
// lines. It crashes when the connection breaks, and so is replaced.
type connection struct {
	dial  func() (net.Conn, error)
	conn  net.Conn
	lines *bufio.Reader
}

// connect returns the start function of a worker.
func connect(dial func() (net.Conn, error)) actor.StartFunc {
	return server.Start(func() server.Server { return &connection{dial: dial} })
}

func (c *connection) Init(*actor.Self) (server.Next, error) {
	conn, err := c.dial()
	if err != nil {
		return server.Next{}, err
	}
	c.conn, c.lines = conn, bufio.NewReader(conn)
	return server.Next{}, nil
}

func (c *connection) HandleCall(self *actor.Self, req any) (server.Next, error) {
	if deadline, ok := self.Context().Deadline(); ok {
		if err := c.conn.SetDeadline(deadline); err != nil {
			return server.Next{}, err
		}
	}
	if _, err := fmt.Fprintln(c.conn, req.(query)); err != nil {
		return server.Next{}, err
	}
	line, err := c.lines.ReadString('\n')
	if err != nil {
		return server.Next{}, err
	}
	return server.Next{}, self.Reply(line[:len(line)-1])
}

func (c *connection) HandleCast(*actor.Self, any) (server.Next, error) { return server.Next{}, nil }

// Terminate closes the connection.
func (c *connection) Terminate(*actor.Self, error) { _ = c.conn.Close() }

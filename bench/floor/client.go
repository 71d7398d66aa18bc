package floor

import (
	"bufio"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/topos-go/topos/bench/pair"
)

// client has a connection for requests, one that all senders of small frames
// share, and one for each sender of large ones.
type client struct {
	server   string
	requests net.Conn
	replies  chan []byte
	out      *outbox
	wg       sync.WaitGroup
}

func connect(server string, m mode) (net.Conn, error) {
	conn, err := net.Dial("tcp", server)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write([]byte{byte(m)}); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func dialPair(_, server string) (pair.Client, error) {
	requests, err := connect(server, modeSmall)
	if err != nil {
		return nil, err
	}
	small, err := connect(server, modeSmall)
	if err != nil {
		return nil, errors.Join(err, requests.Close())
	}
	c := &client{server: server, requests: requests, replies: make(chan []byte, 1), out: newOutbox(small)}
	c.wg.Go(c.read)
	c.wg.Go(c.out.write)
	return c, nil
}

// Close returns when all goroutines have ended.
func (c *client) Close() error {
	c.out.close()
	err := c.requests.Close()
	c.wg.Wait()
	return err
}

// read hands replies to whoever waits for them.
func (c *client) read() {
	defer close(c.replies)
	in, header := bufio.NewReaderSize(c.requests, buffer), make([]byte, headerSize)
	for {
		f, err := readFrame(in, header, fresh)
		if err != nil {
			return
		}
		c.replies <- f.payload
	}
}

// Request writes a request and waits for the reader to hand over the reply.
func (c *client) Request(payload []byte, timeout time.Duration) ([]byte, error) {
	if _, err := c.requests.Write(frame{request: true, payload: payload}.appendTo(nil)); err != nil {
		return nil, err
	}
	late := time.NewTimer(timeout)
	defer late.Stop()
	select {
	case reply, ok := <-c.replies:
		if !ok {
			return nil, net.ErrClosed
		}
		return reply, nil
	case <-late.C:
		return nil, os.ErrDeadlineExceeded
	}
}

// Run runs f on a goroutine of its own.
func (c *client) Run(way pair.Way, f func(pair.Send) error) error {
	done := make(chan error, 1)
	switch way.Shape {
	case pair.Bulk:
		go func() { done <- c.bulk(modeBulk, way.Sink, f) }()
	case pair.Lent:
		go func() { done <- c.bulk(modeLent, way.Sink, f) }()
	default:
		go func() {
			done <- f(func(payload []byte) error { return c.out.put(frame{sink: way.Sink, payload: payload}) })
		}()
	}
	return <-done
}

// bulk writes each payload straight from where it is.
func (c *client) bulk(m mode, sink int, f func(pair.Send) error) error {
	conn, err := connect(c.server, m)
	if err != nil {
		return err
	}
	header := make([]byte, headerSize)
	parts := make(net.Buffers, 2)
	err = f(func(payload []byte) error {
		frame{sink: sink, payload: payload}.putHeader(header)
		parts = append(parts[:0], header, payload)
		rest := parts // WriteTo consumes it
		_, err := rest.WriteTo(conn)
		return err
	})
	return errors.Join(err, conn.Close())
}

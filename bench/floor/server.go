package floor

import (
	"bufio"
	"io"
	"net"
	"sync"

	"github.com/topos-go/topos/bench/pair"
)

// Pair is bare Go as one side of a comparison between two processes: TCP
// connections, with goroutines and channels at their ends where another side
// has processes.
func Pair() pair.Side {
	return pair.Side{
		Serve: servePair, Dial: dialPair, Apart: true, Lends: true,
		Only: []string{"oneway", "pairs16", "request", "bulk64k", "bulk512k", "bulk512k_lent", "ping_other"},
	}
}

// buffer is that of a reader or a writer of small frames.
const buffer = 64 << 10

// server reads frames from whoever connects.
type server struct {
	listener net.Listener
	sinks    []*pair.Sink
	wg       sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	ended bool
}

func servePair(addr string, to pair.Receivers) (pair.Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &server{listener: l, sinks: to.Sinks}
	s.wg.Go(s.accept)
	return s, nil
}

func (s *server) Addr() string { return s.listener.Addr().String() }

// Close returns when all goroutines have ended.
func (s *server) Close() error {
	err := s.listener.Close()
	s.mu.Lock()
	s.ended = true
	for _, conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return err
}

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.ended {
			conn.Close()
		} else {
			s.conns = append(s.conns, conn)
			s.wg.Go(func() { s.serve(conn) })
		}
		s.mu.Unlock()
	}
}

// serve reads the frames of one connection. Requests are answered by another
// goroutine, as they would be by a process.
func (s *server) serve(conn net.Conn) {
	defer conn.Close()
	var first [1]byte
	if _, err := io.ReadFull(conn, first[:]); err != nil {
		return
	}
	in, room := io.Reader(conn), fresh
	switch mode(first[0]) {
	case modeSmall:
		in = bufio.NewReaderSize(conn, buffer)
	case modeLent:
		room = reused()
	}
	requests := make(chan frame, 1)
	defer close(requests)
	s.wg.Go(func() {
		var out []byte
		for f := range requests {
			out = f.appendTo(out[:0])
			if _, err := conn.Write(out); err != nil {
				conn.Close() // which ends the reading, and so this
			}
		}
	})
	header := make([]byte, headerSize)
	for {
		f, err := readFrame(in, header, room)
		switch {
		case err != nil:
			return
		case f.request:
			requests <- f
		case f.sink < len(s.sinks):
			s.sinks[f.sink].Got(f.payload)
		}
	}
}

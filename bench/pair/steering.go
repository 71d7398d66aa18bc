package pair

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// steering is the client's end of a control connection.
type steering struct {
	addr string
	conn net.Conn
	in   *json.Decoder
	out  *json.Encoder
}

func steer(addr string) (*steering, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("pair: control connection: %w", err)
	}
	return &steering{addr: addr, conn: conn, in: json.NewDecoder(conn), out: json.NewEncoder(conn)}, nil
}

func (s *steering) close() error { return s.conn.Close() }

func (s *steering) ask(o order) (answer, error) {
	if err := s.out.Encode(o); err != nil {
		return answer{}, fmt.Errorf("pair: server: %w", err)
	}
	var a answer
	if err := s.in.Decode(&a); err != nil {
		return answer{}, fmt.Errorf("pair: server: %w", err)
	}
	if a.Error != "" {
		return answer{}, errors.New("pair: server: " + a.Error)
	}
	return a, nil
}

func (s *steering) expect(flow []Expected) error {
	_, err := s.ask(order{What: orderExpect, Flow: flow})
	return err
}

// await waits for everything expected at n sinks, or until nothing has arrived
// for as long as idle.
func (s *steering) await(n int, idle time.Duration) ([]Arrived, error) {
	a, err := s.ask(order{What: orderAwait, Count: n, Idle: idle})
	return a.Arrived, err
}

func (s *steering) mallocs() (uint64, error) {
	a, err := s.ask(order{What: orderMallocs})
	return a.Mallocs, err
}

// pace holds a sender back until the receiver has caught up, for libraries that
// cannot do it themselves: at most window messages are on their way.
type pace struct {
	conn   net.Conn
	window int
	sent   int
	wg     sync.WaitGroup

	mu      sync.Mutex
	changed sync.Cond
	got     int
	err     error
}

// pace begins to follow the credits of the current flow at a sink.
func (s *steering) pace(sink, window int) (*pace, error) {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		return nil, fmt.Errorf("pair: credits: %w", err)
	}
	if err := json.NewEncoder(conn).Encode(order{What: orderCredits, Sink: sink}); err != nil {
		conn.Close()
		return nil, fmt.Errorf("pair: credits: %w", err)
	}
	p := &pace{conn: conn, window: window}
	p.changed.L = &p.mu
	p.wg.Go(func() {
		in := json.NewDecoder(conn)
		for {
			var n int
			err := in.Decode(&n)
			p.mu.Lock()
			if p.err = err; err == nil {
				p.got = n
			}
			p.changed.Broadcast()
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	return p, nil
}

// step waits until one more message may be sent.
func (p *pace) step() error {
	p.sent++
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.sent-p.got > p.window && p.err == nil {
		p.changed.Wait()
	}
	return p.err
}

// close ends the following, and whoever waits in step.
func (p *pace) close() {
	p.conn.Close()
	p.wg.Wait()
}

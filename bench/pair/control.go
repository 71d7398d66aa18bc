package pair

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

// order is what the client asks of the server over a control connection, one
// JSON object each; every one gets an answer.
type order struct {
	What  string        `json:"what"`
	Sink  int           `json:"sink,omitempty"`
	Flow  []Expected    `json:"flow,omitempty"` // of each sink from the first on
	Idle  time.Duration `json:"idle,omitempty"`
	Count int           `json:"count,omitempty"`
	File  string        `json:"file,omitempty"`
}

const (
	orderExpect  = "expect"  // Flow begins
	orderAwait   = "await"   // tell what has arrived at Count sinks
	orderMallocs = "mallocs" // tell how much has been allocated so far
	orderProfile = "profile" // write a CPU profile to File, until the next one
	orderCredits = "credits" // from now on tell Sink's credits, and nothing else
)

type answer struct {
	Arrived []Arrived `json:"arrived,omitempty"`
	Mallocs uint64    `json:"mallocs,omitempty"`
	Error   string    `json:"error,omitempty"`
}

// control serves control connections.
type control struct {
	listener net.Listener
	sinks    []*Sink
	profile  *os.File
	wg       sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool // nil once closed
}

func newControl(sinks []*Sink) (*control, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &control{listener: l, sinks: sinks, conns: make(map[net.Conn]bool)}
	c.wg.Go(c.accept)
	return c, nil
}

func (c *control) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		if c.conns == nil {
			conn.Close()
		} else {
			c.conns[conn] = true
			c.wg.Go(func() { c.serve(conn) })
		}
		c.mu.Unlock()
	}
}

// close returns when all connections have been closed and their goroutines have
// ended.
func (c *control) close() {
	c.listener.Close()
	c.mu.Lock()
	for conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
	c.mu.Unlock()
	c.wg.Wait()
}

func (c *control) serve(conn net.Conn) {
	defer func() {
		conn.Close()
		c.mu.Lock()
		delete(c.conns, conn)
		c.mu.Unlock()
	}()
	in, out := json.NewDecoder(conn), json.NewEncoder(conn)
	for {
		var o order
		if in.Decode(&o) != nil {
			return
		}
		if o.What == orderCredits {
			c.credits(conn, o)
			return
		}
		a, err := c.carryOut(o)
		if err != nil {
			a.Error = err.Error()
		}
		if out.Encode(a) != nil {
			return
		}
	}
}

func (c *control) carryOut(o order) (answer, error) {
	switch o.What {
	case orderExpect:
		if len(o.Flow) > len(c.sinks) {
			return answer{}, fmt.Errorf("%d flows for %d sinks", len(o.Flow), len(c.sinks))
		}
		for i, e := range o.Flow {
			c.sinks[i].Expect(e)
		}
		runtime.GC()
		return answer{}, nil
	case orderAwait:
		var a answer
		for _, s := range c.sinks[:min(o.Count, len(c.sinks))] {
			a.Arrived = append(a.Arrived, s.Await(o.Idle))
		}
		return a, nil
	case orderMallocs:
		return answer{Mallocs: mallocs()}, nil
	case orderProfile:
		return answer{}, startProfile(&c.profile, o.File)
	}
	return answer{}, fmt.Errorf("unknown order %q", o.What)
}

// credits writes the credits of a sink's flow until the client is gone.
func (c *control) credits(conn net.Conn, o order) {
	if o.Sink >= len(c.sinks) {
		return
	}
	a := c.sinks[o.Sink].flow.Load()
	if a == nil {
		return
	}
	gone := make(chan struct{})
	c.wg.Go(func() {
		_, _ = io.Copy(io.Discard, conn) // ends when the client has closed it
		close(gone)
	})
	out := json.NewEncoder(conn)
	for {
		select {
		case <-gone:
			return
		case n := <-a.credits:
			if out.Encode(n) != nil {
				return
			}
		}
	}
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// startProfile ends the profile that is being written, if any, and starts one
// into the named file, if any.
func startProfile(now **os.File, name string) error {
	var err error
	if *now != nil {
		pprof.StopCPUProfile()
		err = (*now).Close()
		*now = nil
	}
	if name == "" {
		return err
	}
	f, e := os.Create(name)
	if e != nil {
		return errors.Join(err, e)
	}
	*now = f
	return errors.Join(err, pprof.StartCPUProfile(f))
}

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/topos-go/topos/bench/peers/memberlist/trial"
)

// network loses some of the packets, and takes a while for all of them. Streams
// take that while, too, and lose nothing.
type network struct {
	loss        float64
	least, more time.Duration
	book        *trial.Book

	mu  sync.Mutex
	at  map[string]*transport
	rng *rand.Rand
}

// transport is a node's end of the network.
type transport struct {
	net     *network
	host    string
	mute    atomic.Bool // nothing comes from here, and nothing comes here
	packets chan *memberlist.Packet
	streams chan net.Conn
}

const (
	port  = 7946
	queue = 4096 // packets that wait to be read; more are lost, as with UDP
)

var errTimeout = errors.New("no answer")

// join adds a node's end, with an address of its own.
func (n *network) join(i int) *transport {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := &transport{
		net: n, host: fmt.Sprintf("10.0.%d.%d", i/250, i%250+1),
		packets: make(chan *memberlist.Packet, queue), streams: make(chan net.Conn, queue),
	}
	n.at[t.address()] = t
	return t
}

// way draws how long something takes, and whether a packet is lost.
func (n *network) way() (latency time.Duration, lost bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.least + time.Duration(n.rng.Int64N(int64(n.more))), n.rng.Float64() < n.loss
}

func (n *network) find(addr string) *transport {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.at[addr]
}

func (t *transport) address() string { return net.JoinHostPort(t.host, strconv.Itoa(port)) }

func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return net.ParseIP(t.host).To4(), port, nil
}

func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	now := time.Now()
	to := t.net.find(addr)
	if to == nil {
		return now, fmt.Errorf("no route to %s", addr)
	}
	if t.mute.Load() {
		return now, nil
	}
	t.net.book.Sent(len(b))
	latency, lost := t.net.way()
	if lost {
		return now, nil
	}
	packet := &memberlist.Packet{Buf: append([]byte(nil), b...), From: &net.UDPAddr{IP: net.ParseIP(t.host), Port: port}}
	time.AfterFunc(latency, func() {
		if to.mute.Load() {
			return
		}
		packet.Timestamp = time.Now()
		select {
		case to.packets <- packet:
		default:
		}
	})
	return now, nil
}

func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

func (t *transport) StreamCh() <-chan net.Conn { return t.streams }

// DialTimeout takes a round trip; to a silent node, as long as there is.
func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	to := t.net.find(addr)
	if to == nil || to.mute.Load() || t.mute.Load() {
		time.Sleep(timeout)
		return nil, fmt.Errorf("dial %s: %w", addr, errTimeout)
	}
	there, _ := t.net.way()
	back, _ := t.net.way()
	time.Sleep(there + back)
	near, far := net.Pipe()
	select {
	case to.streams <- &stream{Conn: far, from: to, to: t}:
		return &stream{Conn: near, from: t, to: to}, nil
	default:
		return nil, fmt.Errorf("dial %s: too many wait", addr)
	}
}

func (t *transport) Shutdown() error { return nil }

// stream is one end of a connection. What is written arrives after a while.
type stream struct {
	net.Conn
	from, to *transport
}

func (s *stream) Write(b []byte) (int, error) {
	if s.from.mute.Load() || s.to.mute.Load() {
		return len(b), nil // the other end waits in vain
	}
	s.from.net.book.Sent(len(b))
	latency, _ := s.from.net.way()
	time.Sleep(latency)
	return s.Conn.Write(b)
}

// RemoteAddr is what memberlist puts into its log.
func (s *stream) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.ParseIP(s.to.host), Port: port}
}

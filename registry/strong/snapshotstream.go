package strong

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/raft"

	"github.com/topos-go/topos/actor"
)

// A snapshot goes from a leader to a replica in chunks, at most window of them
// on their way:
//
//	leader --kindSnapshot, kindChunk...--> replica
//	       <--kindTaken.. kindAnswer-----
//
// A chunk says where it belongs, so that one which was lost with a connection
// is noticed.

// streamKey is whose snapshot it is and the id of its first frame.
type streamKey struct {
	from actor.NodeID
	id   uint64
}

// incoming is a snapshot on its way in: what raft reads it from.
type incoming struct {
	t      *transport
	key    streamKey
	chunks chan []byte // capacity window
	gone   chan struct{}
	left   int64 // bytes until the end

	// Of the goroutine that receives; under the transport's lock.
	received uint64
	shut     bool

	// Of the reader.
	rest []byte
	read uint64
	err  error
}

var errBrokenStream = errors.New("strong: a snapshot broke off")

func (t *transport) open(from actor.NodeID, id uint64, size int64) *incoming {
	s := &incoming{t: t, key: streamKey{from, id}, left: size, chunks: make(chan []byte, window), gone: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.streams[s.key] = s
	return s
}

// shut ends a stream; its reader gets an error if it reads on.
func (t *transport) shut(s *incoming) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.streams, s.key)
	if !s.shut {
		s.shut = true
		close(s.gone)
	}
}

// lost ends the streams from a node that is down.
func (t *transport) lost(node actor.NodeID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, s := range t.streams {
		if key.from == node {
			delete(t.streams, key)
			s.shut = true
			close(s.gone)
		}
	}
}

// receiveChunk takes a frame of kindChunk. It does not wait: a sender that
// keeps to the window always finds room.
func (t *transport) receiveChunk(from actor.NodeID, f frame) {
	r := reader{b: f.body}
	at := r.uint()
	data := r.bytes()
	t.mu.Lock()
	s := t.streams[streamKey{from, f.id}]
	ok := s != nil && r.end() == nil && at == s.received && len(data) > 0
	if ok {
		select {
		case s.chunks <- data:
			s.received += uint64(len(data))
		default:
			ok = false
		}
	}
	t.mu.Unlock()
	if s != nil && !ok {
		t.shut(s)
	}
}

// Read implements io.Reader for raft. Its end is where the head said.
func (s *incoming) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.left == 0 {
		return 0, io.EOF
	}
	if len(s.rest) == 0 {
		if s.rest, s.err = s.next(); s.err != nil {
			return 0, s.err
		}
	}
	n := copy(p, s.rest[:min(int64(len(s.rest)), s.left)])
	s.rest = s.rest[n:]
	s.left -= int64(n)
	if len(s.rest) == 0 {
		s.read++
		_ = s.t.x.send(s.key.from, frame{kind: kindTaken, id: s.key.id, body: binary.AppendUvarint(nil, s.read)})
	}
	return n, nil
}

func (s *incoming) next() ([]byte, error) {
	timer := time.NewTimer(s.t.timeout)
	defer timer.Stop()
	select {
	case chunk := <-s.chunks:
		return chunk, nil
	case <-s.gone:
	case <-timer.C:
	case <-s.t.stop:
	}
	return nil, errBrokenStream
}

// follow lets the progress of a snapshot that this node sends be told to the
// channel that it returns.
func (t *transport) follow(id uint64) chan uint64 {
	taken := make(chan uint64, 1)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.senders[id] = taken
	return taken
}

func (t *transport) unfollow(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.senders, id)
}

// receiveTaken takes a frame of kindTaken. Only the newest count matters.
func (t *transport) receiveTaken(f frame) {
	r := reader{b: f.body}
	n := r.uint()
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.senders[f.id]
	if taken == nil || r.end() != nil {
		return
	}
	select {
	case <-taken:
	default:
	}
	taken <- n
}

// stream sends a snapshot and returns raft's answer. It waits at most the
// timeout between two signs of progress, and patience times that at the end,
// when the whole is put in place.
func (t *transport) stream(node actor.NodeID, id raft.ServerID, head *raft.InstallSnapshotRequest, data io.Reader) ([]byte, error) {
	const patience = 20
	k, body := encodeRequest(head)
	answered := make(chan reply, 1)
	q := t.x.ask(node, frame{kind: k, epoch: t.epoch(), to: string(id), body: body}, func(body []byte, err error) { answered <- reply{body, err} })
	defer t.x.withdraw(q)
	taken := t.follow(q)
	defer t.unfollow(q)
	timer := time.NewTimer(t.timeout)
	defer timer.Stop()
	out := outgoing{left: head.Size, data: data, buffer: make([]byte, chunkSize)}
	for {
		if err := out.fill(func(chunk []byte) error {
			return t.x.send(node, frame{kind: kindChunk, id: q, body: chunk})
		}); err != nil {
			return nil, err
		}
		timer.Reset(t.timeout)
		if out.left == 0 && out.read == out.sent {
			timer.Reset(patience * t.timeout)
		}
		select {
		case r := <-answered:
			return r.body, r.err
		case n := <-taken:
			out.read = max(out.read, min(n, out.sent))
		case <-timer.C:
			return nil, fmt.Errorf("%w: %s takes no snapshot", errTimeout, id)
		case <-t.stop:
			return nil, errClosed
		}
	}
}

// outgoing is a snapshot on its way out.
type outgoing struct {
	data       io.Reader
	buffer     []byte
	left       int64  // bytes that have not been sent
	at         uint64 // bytes that have
	sent, read uint64 // chunks
}

// fill sends what the window has room for.
func (o *outgoing) fill(send func(chunk []byte) error) error {
	for o.left > 0 && o.sent-o.read < window {
		n, err := io.ReadFull(o.data, o.buffer[:min(int64(len(o.buffer)), o.left)])
		if err != nil {
			return fmt.Errorf("strong: reading a snapshot: %w", err)
		}
		chunk := appendBytes(binary.AppendUvarint(make([]byte, 0, n+16), o.at), o.buffer[:n])
		if err := send(chunk); err != nil {
			return err
		}
		o.at, o.left, o.sent = o.at+uint64(n), o.left-int64(n), o.sent+1
	}
	return nil
}

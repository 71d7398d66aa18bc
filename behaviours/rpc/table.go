package rpc

import (
	"container/list"
	"time"
)

// table is what a server remembers of requests, so that none runs twice. It is
// a value without clock or goroutine.
//
// Invariants:
//  1. A session's requests up to its floor are over or forgotten: none of them
//     is begun any more.
//  2. An entry that is running is never forgotten.
//  3. Of a key that was forgotten, keyFloor is not before its time of issue.
type table struct {
	window   Window
	last     uint64 // session
	sessions map[uint64]*session
	byUse    *list.List // of *session, the longest unused first
	keys     map[string]*entry
	ended    *list.List // of *entry, the longest ended first
	keyFloor time.Time
}

// session is what a table remembers of one client.
type session struct {
	id      uint64
	floor   uint64
	entries map[uint64]*entry
	running int
	used    time.Time
	place   *list.Element
}

// entry is one request.
type entry struct {
	session *session
	seq     uint64
	key     string
	issued  time.Time

	over   bool
	answer answer
	at     time.Time // when it was over
	place  *list.Element
}

// answer is the outcome of a request.
type answer struct {
	value any
	err   error
}

// standing is where a try stands: with a request that is new, running, over, or
// unknown to the table.
type standing uint8

const (
	fresh     standing = iota // and is running from now on
	running                   // the answer will come
	over                      // the answer is there
	forgotten                 // may have run
	stranger                  // of no session
)

func newTable(w Window) *table {
	return &table{
		window: w, sessions: make(map[uint64]*session), byUse: list.New(),
		keys: make(map[string]*entry), ended: list.New(),
	}
}

// open begins a session.
func (t *table) open(now time.Time) (id uint64) {
	t.last++
	s := &session{id: t.last, entries: make(map[uint64]*entry), used: now}
	s.place = t.byUse.PushBack(s)
	t.sessions[s.id] = s
	t.sweep(now)
	return s.id
}

// begin says where a try stands. The entry is nil if it is forgotten or a
// stranger's.
func (t *table) begin(now time.Time, r *Request) (*entry, standing) {
	t.sweep(now)
	s := t.sessions[r.Session]
	if s == nil {
		return nil, stranger
	}
	s.used = now
	t.byUse.MoveToBack(s.place)
	t.release(s, r.Done)
	if e := s.entries[r.Seq]; e != nil {
		return e, e.standing()
	}
	if r.Seq <= s.floor {
		return nil, forgotten
	}
	if r.Key != "" {
		if e := t.keys[r.Key]; e != nil {
			return e, e.standing()
		}
		if !r.Issued.After(t.keyFloor) {
			return nil, forgotten
		}
	}
	e := &entry{session: s, seq: r.Seq, key: r.Key, issued: r.Issued}
	s.entries[r.Seq] = e
	s.running++
	if e.key != "" {
		t.keys[e.key] = e
	}
	return e, fresh
}

func (e *entry) standing() standing {
	if e.over {
		return over
	}
	return running
}

// release forgets those requests of s below done that are over: their client
// has said that it will not ask again.
func (t *table) release(s *session, done uint64) {
	if done == 0 {
		return
	}
	for s.floor < done-1 {
		if done-s.floor > uint64(len(s.entries))+1 { // sparse: look at what is there
			for seq, e := range s.entries {
				if seq < done {
					t.released(e)
				}
			}
			s.floor = done - 1
			return
		}
		s.floor++
		if e := s.entries[s.floor]; e != nil {
			t.released(e)
		}
	}
}

func (t *table) released(e *entry) {
	if e.over {
		delete(e.session.entries, e.seq)
		if e.key == "" {
			t.ended.Remove(e.place)
		}
	}
}

// end notes the answer of a running request.
func (t *table) end(now time.Time, e *entry, a answer) {
	e.over, e.answer, e.at = true, a, now
	e.session.running--
	if e.seq <= e.session.floor {
		delete(e.session.entries, e.seq)
		if e.key == "" {
			return
		}
	}
	e.place = t.ended.PushBack(e)
	t.sweep(now)
}

// undo takes back that a request was begun, because it has not run.
func (t *table) undo(e *entry) {
	e.session.running--
	delete(e.session.entries, e.seq)
	if e.key != "" {
		delete(t.keys, e.key)
	}
}

// sweep forgets what the window does not hold.
func (t *table) sweep(now time.Time) {
	for t.ended.Len() > 0 {
		e := t.ended.Front().Value.(*entry)
		if t.ended.Len() <= t.window.Entries && now.Sub(e.at) < t.window.Age {
			break
		}
		t.ended.Remove(e.place)
		delete(e.session.entries, e.seq)
		e.session.floor = max(e.session.floor, e.seq)
		if e.key != "" {
			delete(t.keys, e.key)
			if e.issued.After(t.keyFloor) {
				t.keyFloor = e.issued
			}
		}
	}
	for next := t.byUse.Front(); next != nil; {
		s := next.Value.(*session)
		if len(t.sessions) <= t.window.Sessions && now.Sub(s.used) < t.window.Age {
			break
		}
		next = next.Next()
		if s.running == 0 {
			t.close(s)
		}
	}
}

// close forgets a session. The answers under keys stay.
func (t *table) close(s *session) {
	delete(t.sessions, s.id)
	t.byUse.Remove(s.place)
	for _, e := range s.entries {
		if e.key == "" {
			t.ended.Remove(e.place)
		}
	}
	s.entries = nil
}

// bar answers a request that may still be on its way: its client has given it up.
func (t *table) bar(now time.Time, session, seq uint64, a answer) {
	s := t.sessions[session]
	if s == nil || seq <= s.floor || s.entries[seq] != nil {
		return
	}
	e := &entry{session: s, seq: seq}
	s.entries[seq] = e
	s.running++
	t.end(now, e, a)
}

// find returns the entry of a request, if it is there.
func (t *table) find(session, seq uint64) *entry {
	if s := t.sessions[session]; s != nil {
		return s.entries[seq]
	}
	return nil
}

// size is how many requests are remembered.
func (t *table) size() int { return t.ended.Len() }

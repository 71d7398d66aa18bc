package trial

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Book has what the nodes of a group say of each other, by name. A name is of one
// node ever: that which takes a dead one's place has another. Its methods may be
// called concurrently. The zero Book is empty.
type Book struct {
	mu    sync.Mutex
	dead  map[string]*death
	count count
}

// death is what is known of a node that has fallen silent.
type death struct {
	at        time.Time
	suspected time.Duration
	known     map[string]time.Duration // when which node gave its verdict
}

// count is what has been since the last tally: messages, and live nodes that were
// suspected or declared failed, these so many times.
type count struct {
	messages, bytes, verdicts int
	accused, wrong            map[string]bool
}

// Fell says that node has fallen silent.
func (b *Book) Fell(node string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dead == nil {
		b.dead = make(map[string]*death)
	}
	b.dead[node] = &death{at: at, suspected: -1, known: make(map[string]time.Duration)}
}

// Suspected says that somebody suspects node by what it has seen itself.
func (b *Book) Suspected(node string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.dead[node]; d == nil {
		b.count.accused = with(b.count.accused, node)
	} else if d.suspected < 0 {
		d.suspected = at.Sub(d.at)
	}
}

// Failed says that for by, node has failed. What a node says that has fallen
// silent itself does not count.
func (b *Book) Failed(by, node string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.dead[node]
	switch {
	case b.dead[by] != nil:
	case d == nil:
		b.count.wrong = with(b.count.wrong, node)
		b.count.verdicts++
	default:
		if _, again := d.known[by]; !again {
			d.known[by] = at.Sub(d.at)
		}
	}
}

// Sent says that a message of so many bytes has been sent.
func (b *Book) Sent(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count.messages++
	b.count.bytes += bytes
}

// tally returns what has been counted since the last time, and begins anew.
func (b *Book) tally() count {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.count
	b.count = count{}
	return c
}

// known returns how many have given their verdict on node.
func (b *Book) known(node string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.dead[node].known)
}

// times returns after how long node, which has fallen silent, was suspected, less
// than 0 if it was not, and those of the verdicts, sorted.
func (b *Book) times(node string) (suspected time.Duration, known []time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.dead[node]
	return d.suspected, slices.Sorted(maps.Values(d.known))
}

func with(set map[string]bool, name string) map[string]bool {
	if set == nil {
		set = make(map[string]bool)
	}
	set[name] = true
	return set
}

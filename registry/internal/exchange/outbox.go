package exchange

import (
	"maps"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
)

const (
	// pageBytes bounds a message, except one with a single larger record.
	pageBytes = 64 << 10
	// maxPages bounds how many pages are made at a time, and maxAsks how much one
	// node may ask for before it is answered: twice what a ledger asks.
	maxPages = 16
	maxAsks  = 32
)

// flush sends what there is to send, and after it, if that is due, what there is to
// all. It reports whether something is left that must not be broadcast yet.
func (x *Exchange[V]) flush(now time.Time, direct, due bool) (left bool) {
	x.mu.Lock()
	var updates []ledger.Update[V]
	limit := pageBytes
	if !direct {
		limit = castBytes
	}
	if left = !direct && now.Before(x.clock.cast); left {
		left = x.ledger.Pending()
	} else {
		updates = x.ledger.Flush(limit, x.weigh)
	}
	have := x.ledger.Have()
	letters := x.letters(have)
	x.mu.Unlock()
	for i := range updates {
		if direct {
			x.tellAll(message[V]{Update: &updates[i]})
		} else {
			x.cast(now, &updates[i])
		}
	}
	if due {
		x.tellAll(message[V]{Have: &have})
	}
	for _, l := range letters {
		x.tell(l.to, l.message)
	}
	return left
}

// letters takes what is to be sent to single nodes.
func (x *Exchange[V]) letters(have ledger.Have) (letters []letter[V]) {
	for _, q := range x.ledger.Asks() {
		letters = append(letters, letter[V]{q.To, message[V]{Ask: &q.Ask}})
	}
	pages := 0
	for _, node := range slices.SortedFunc(maps.Keys(x.answers), compare) {
		asks := x.answers[node]
		n := min(len(asks), maxPages-pages)
		for _, ask := range asks[:n] {
			page := x.ledger.Answer(ask, pageBytes, x.weigh)
			letters = append(letters, letter[V]{node, message[V]{Page: &page}})
		}
		if pages += n; n < len(asks) {
			x.answers[node] = asks[n:]
			x.rouse()
			break
		}
		delete(x.answers, node)
	}
	for _, node := range slices.SortedFunc(maps.Keys(x.greets), compare) {
		letters = append(letters, letter[V]{node, message[V]{Have: &have}})
	}
	for _, node := range slices.SortedFunc(maps.Keys(x.vectors), compare) {
		v := x.vectors[node]
		if !v.Answer {
			v.Standings = x.ledger.Vector()
		}
		letters = append(letters, letter[V]{node, message[V]{Vector: &v}})
	}
	for _, node := range slices.SortedFunc(maps.Keys(x.sums), compare) {
		sum := x.ledger.Digest()
		letters = append(letters, letter[V]{node, message[V]{Digest: &sum}})
	}
	clear(x.greets)
	clear(x.vectors)
	clear(x.sums)
	return letters
}

type letter[V any] struct {
	to      actor.NodeID
	message message[V]
}

func compare(a, b actor.NodeID) int {
	switch {
	case a.Less(b):
		return -1
	case b.Less(a):
		return 1
	}
	return 0
}

// overhead is about what a record has besides its key and value.
const overhead = 16

func (x *Exchange[V]) weigh(r *ledger.Record[V]) int {
	return len(r.Key) + x.cfg.Weigh(r.Value) + overhead
}

// tellAll tells every member, who asks if it is lost.
func (x *Exchange[V]) tellAll(m message[V]) {
	payload := encode(m)
	for _, node := range x.cluster.Members() {
		if node != x.cfg.Node {
			_ = x.cluster.SendControl(node, x.cfg.Topic, payload)
		}
	}
}

func (x *Exchange[V]) tell(node actor.NodeID, m message[V]) {
	_ = x.cluster.SendControl(node, x.cfg.Topic, encode(m))
}

package ledger

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
)

// maxPulls bounds how many parts one node is asked for at a time: it makes a page
// for each.
const maxPulls = 16

// pull is how a part is asked for, of its owner or of somebody who has it whole.
type pull struct {
	on     bool
	from   actor.NodeID
	serial uint64
	next   Position // what is asked for
	due    bool     // the question has not been handed out
	moved  bool     // a page has come since the last Tick, or it has begun
	dirty  bool     // the part is not what the question said any more
}

// Question is an Ask and to whom.
type Question struct {
	To  actor.NodeID
	Ask Ask
}

// begin begins to ask from for everything of r that differs.
func (l *Ledger[V]) begin(r *replica[V], from actor.NodeID) {
	l.serial++
	r.pull = pull{on: true, from: from, serial: l.serial, due: true, moved: true}
	r.missed = false
}

// Pull begins to ask node for its own part, unless that is being asked for.
func (l *Ledger[V]) Pull(node actor.NodeID) {
	if r := l.others[node]; r != nil && r.up && !r.pull.on {
		l.begin(r, node)
	}
}

// Asks hands out the questions that there are to send.
func (l *Ledger[V]) Asks() []Question {
	var asks []Question
	for _, r := range l.others {
		if !r.up || !r.pull.on || !r.pull.due {
			continue
		}
		r.pull.due, r.pull.dirty = false, false
		ask := Ask{Owner: r.mark, Serial: r.pull.serial, From: r.pull.next}
		if r.size > 0 {
			ask.Sums = slices.Clone(r.sums[:])
		}
		asks = append(asks, Question{r.pull.from, ask})
	}
	slices.SortFunc(asks, func(a, b Question) int { return cmp.Compare(a.Ask.Serial, b.Ask.Serial) })
	return asks
}

// Asking reports whether there are questions to send.
func (l *Ledger[V]) Asking() bool {
	for _, r := range l.others {
		if r.up && r.pull.on && r.pull.due {
			return true
		}
	}
	return false
}

// Tick is to be called every second or so. Owners that have not answered are asked
// again; of others nothing more is expected.
func (l *Ledger[V]) Tick(now time.Time) (changes []Change[V]) {
	for _, mark := range slices.Sorted(maps.Keys(l.byMark)) {
		r := l.byMark[mark]
		if r.up && r.pull.on && !r.pull.moved {
			changes = append(changes, l.giveUp(r)...)
			r.pull.due = r.pull.on
		}
		r.pull.moved = false
	}
	l.clearOut(now)
	return changes
}

// giveUp ends a pull that has not come to its end, of which what is partial
// remains so. An owner is asked anew with the next Tick: there is nobody else who
// has to have its part.
func (l *Ledger[V]) giveUp(r *replica[V]) []Change[V] {
	if r.pull.from == r.node.Value() {
		l.begin(r, r.pull.from)
		r.pull.due, r.pull.moved = false, false
		return nil
	}
	if r.pull.on = false; r.partial {
		return nil
	}
	return l.drain(r, nil)
}

// reached is the latest of its owner's changes that something of the part is of:
// who has had fewer would take it back.
func (r *replica[V]) reached() uint64 {
	if n := len(r.torn); n > 0 {
		return max(r.seq, r.torn[n-1].seq)
	}
	return r.seq
}

// Heard takes in what from says that its part is like, and asks if it is another
// here.
func (l *Ledger[V]) Heard(from actor.NodeID, h Have) {
	r := l.others[from]
	switch {
	case r == nil || !r.up:
	case !r.pull.on:
		if r.seq != h.Seq || r.total != h.Sum || !r.whole() {
			l.begin(r, from)
		}
	case r.pull.from == from && r.pull.next.start():
		// It was asked and has not answered: it may not have been there yet.
		r.pull.due = true
	}
}

// Turn takes in a page that from has made.
func (l *Ledger[V]) Turn(from actor.NodeID, page Page[V]) (changes []Change[V]) {
	r := l.byMark[page.Owner]
	if r == nil || !r.up || !r.pull.on || r.pull.from != from || page.Serial != r.pull.serial || page.From != r.pull.next {
		return nil
	}
	old := page.Seq < r.reached() && !(page.From.start() && from == r.node.Value())
	if page.None || old || !page.Last && page.Next.at(page.From) {
		return l.giveUp(r)
	}
	r.pull.moved = true
	if r.pull.dirty && page.Seq > r.seq {
		// Not all changes before the page have come. What it leaves out, since it
		// was the same as in the question, may be another now.
		l.begin(r, from)
		return nil
	}
	if page.From.start() {
		r.seq, r.partial, r.torn = page.Seq, true, nil
	}
	r.torn = append(r.torn, stretch{page.Next, page.Last, page.Seq})
	for i := range page.Spans {
		changes = r.overwrite(&page.Spans[i], changes)
	}
	if !page.Last {
		r.pull.next, r.pull.due = page.Next, true
		return changes
	}
	r.pull.on, r.partial = false, false
	changes = l.drain(r, changes)
	if r.mend(); r.hidden {
		r.hidden = false
		changes = nil
		for key, value := range r.all() {
			changes = append(changes, Change[V]{Owner: r.node, Key: key, New: value, Has: true})
		}
		changes = sorted(changes)
	}
	switch {
	case (r.missed || len(r.held) > 0) && from == r.node.Value():
		l.begin(r, from)
	case r.torn == nil:
		r.synced = true
	}
	return changes
}

// stretch is what a page has shown: the part behind the one before it, up to and
// including end, or all that is left if it is the last, as it was at seq.
type stretch struct {
	end  Position
	last bool
	seq  uint64
}

// known is up to which change of its owner the part is known where key is.
func (r *replica[V]) known(key string) uint64 {
	if len(r.torn) == 0 {
		return 0
	}
	bucket := bucketOf(key)
	i, _ := slices.BinarySearchFunc(r.torn, true, func(s stretch, _ bool) int {
		if !s.last && s.end.before(bucket, key) {
			return -1
		}
		return 1
	})
	if i == len(r.torn) {
		return 0
	}
	return r.torn[i].seq
}

// mend notes that the part is of one time again, if it is.
func (r *replica[V]) mend() {
	if r.partial || r.torn == nil || r.torn[len(r.torn)-1].seq > r.seq {
		return
	}
	if r.torn = nil; !r.hidden {
		r.synced = true
	}
}

// overwrite makes what is known of a span what it is.
func (r *replica[V]) overwrite(span *Span[V], changes []Change[V]) []Change[V] {
	if span.Bucket < 0 || span.Bucket >= Buckets {
		return changes
	}
	there := make(map[string]bool, len(span.Records))
	for i := range span.Records {
		there[span.Records[i].Key] = true
	}
	for _, key := range r.after(span.Bucket, span.After) {
		if span.UpTo != "" && key > span.UpTo {
			break
		}
		if !there[key] {
			changes = r.write(&Record[V]{Key: key, Gone: true}, changes)
		}
	}
	for i := range span.Records {
		rec := &span.Records[i]
		if rec.Key == "" || bucketOf(rec.Key) != span.Bucket {
			continue
		}
		changes = r.write(rec, changes)
	}
	return changes
}

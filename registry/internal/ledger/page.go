package ledger

// Position is a place in the order of buckets, and of keys within one: behind
// After, or before all keys of the bucket if that is empty.
type Position struct {
	_      struct{} `cbor:",toarray"`
	Bucket int
	After  string
}

// start is before everything.
func (p Position) start() bool { return p.Bucket == 0 && p.After == "" }

// Ask says what the asker has of the receiver's part, by buckets, and asks for
// what differs from Position on. Without Sums it has nothing.
type Ask struct {
	_    struct{} `cbor:",toarray"`
	From Position
	Sums []uint64
}

// Page is a piece of the answer to an Ask, from where that asked on.
type Page[V any] struct {
	_    struct{} `cbor:",toarray"`
	From Position
	// Seq is the number of changes of the part when the page was made.
	Seq   uint64
	Spans []Span[V]
	// Next is where to ask on, unless this is the Last page.
	Next Position
	Last bool
}

// Span is all there is in a bucket behind After, up to and including UpTo, or
// to the end if that is empty.
type Span[V any] struct {
	_       struct{} `cbor:",toarray"`
	Bucket  int
	After   string
	UpTo    string
	Records []Record[V]
}

// Answer makes the page that ask asks for, of at most limit by weigh, or of one
// record.
func (l *Ledger[V]) Answer(ask Ask, limit int, weigh func(*Record[V]) int) Page[V] {
	page := Page[V]{From: ask.From, Seq: l.seq, Last: true}
	known := func(b int) bool {
		if len(ask.Sums) == Buckets {
			return ask.Sums[b] == l.own.sums[b]
		}
		return len(l.own.buckets[b]) == 0
	}
	weight := 0
	for b := max(ask.From.Bucket, 0); b < Buckets; b++ {
		after := ""
		if b == ask.From.Bucket {
			after = ask.From.After
		}
		if after == "" && known(b) {
			continue
		}
		span := Span[V]{Bucket: b, After: after}
		for _, key := range l.own.after(b, after) {
			v, _ := l.own.get(key)
			r := Record[V]{Key: key, Version: v.version, Value: v.value}
			weight += weigh(&r)
			if weight > limit && weight > weigh(&r) {
				page.cut(span)
				return page
			}
			span.Records = append(span.Records, r)
		}
		page.Spans = append(page.Spans, span)
	}
	return page
}

// cut ends the page within span, or before it if that is empty.
func (p *Page[V]) cut(span Span[V]) {
	p.Last = false
	p.Next = Position{Bucket: span.Bucket, After: span.After}
	if n := len(span.Records); n > 0 {
		span.UpTo = span.Records[n-1].Key
		p.Next.After = span.UpTo
		p.Spans = append(p.Spans, span)
	}
}

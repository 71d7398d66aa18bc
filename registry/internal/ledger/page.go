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

// at reports whether p is from, or before it: who goes on there never comes to an end.
func (p Position) at(from Position) bool {
	return p.Bucket < from.Bucket || p.Bucket == from.Bucket && p.After <= from.After
}

// before reports whether p is not behind key of bucket.
func (p Position) before(bucket int, key string) bool {
	return p.Bucket < bucket || p.Bucket == bucket && p.After < key
}

// Ask says what the asker has of a part, by buckets, and asks for what differs
// from Position on. Without Sums it has nothing. Owner is the part's mark; Serial
// tells the asker's pulls from each other.
type Ask struct {
	_             struct{} `cbor:",toarray"`
	Owner, Serial uint64
	From          Position
	Sums          []uint64
}

// Page is a piece of the answer to an Ask, from where that asked on.
type Page[V any] struct {
	_             struct{} `cbor:",toarray"`
	Owner, Serial uint64
	From          Position
	// Seq is the number of changes of the part when the page was made.
	Seq   uint64
	Spans []Span[V]
	// Next is where to ask on, unless this is the Last page.
	Next Position
	Last bool
	// None says that the part cannot be had from this node, not any more.
	None bool
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
// record: of the own part, or of another's if it is whole here.
func (l *Ledger[V]) Answer(ask Ask, limit int, weigh func(*Record[V]) int) Page[V] {
	page := Page[V]{Owner: ask.Owner, Serial: ask.Serial, From: ask.From, Last: true}
	p := &l.own
	switch r := l.byMark[ask.Owner]; {
	case ask.Owner == l.mark:
		page.Seq = l.seq
	case r != nil && r.whole():
		p, page.Seq = &r.part, r.seq
	default:
		page.None = true
		return page
	}
	known := func(b int) bool {
		if len(ask.Sums) == Buckets {
			return ask.Sums[b] == p.sums[b]
		}
		return len(p.buckets[b]) == 0
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
		for _, key := range p.after(b, after) {
			v, _ := p.get(key)
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

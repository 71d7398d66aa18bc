package session

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// epoch is when virtual time begins.
var epoch = time.Unix(1_000_000_000, 0)

// letter is something on its way: a message, a skip or an ack.
type letter struct {
	key         string
	seq, oldest uint64
	item        string
	size        int
	skip        uint64
	ack         *Ack
}

// stage has two tables, and what is on its way between them, by number.
type stage struct {
	from, to *Table[string, string]
	now      time.Time
	size     int
	letters  map[int]letter
	count    int
	out      strings.Builder
}

func (s *stage) printf(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

func (s *stage) send(l letter) int {
	s.count++
	s.letters[s.count] = l
	return s.count
}

func (s *stage) carryOut(key string, e Effects[string]) {
	for _, g := range e.GaveUp {
		s.printf("%s: gave up %d %q: %v", key, g.Seq, g.Item, g.Err)
	}
	for _, m := range e.Transmit {
		n := s.send(letter{key: key, seq: m.Seq, oldest: m.Oldest, item: m.Item, size: s.size})
		s.printf("#%d %s -> %d %q oldest %d attempt %d", n, key, m.Seq, m.Item, m.Oldest, m.Attempt)
	}
	if e.Skip != 0 {
		s.printf("#%d %s -> skip to %d", s.send(letter{key: key, skip: e.Skip}), key, e.Skip)
	}
}

func (s *stage) acks() {
	for _, a := range s.to.Acks(s.now) {
		ack := Ack{Cumulative: a.Cumulative, Ranges: slices.Clone(a.Ranges)}
		s.printf("#%d %s <- ack %d %v", s.send(letter{key: a.Key, ack: &ack}), a.Key, ack.Cumulative, ack.Ranges)
	}
}

// deliver lets a letter arrive.
func (s *stage) deliver(l letter) {
	var items []string
	var err error
	switch {
	case l.ack != nil:
		var e Effects[string]
		e, err = s.from.Acked(s.now, l.key, *l.ack)
		s.carryOut(l.key, e)
	case l.skip != 0:
		items, err = s.to.Skip(s.now, l.key, l.skip)
	default:
		items, err = s.to.Receive(s.now, l.key, l.seq, l.oldest, l.item, l.size)
	}
	for _, item := range items {
		s.printf("%s: delivered %q", l.key, item)
	}
	if err != nil {
		s.printf("error: %v", err)
	}
	s.acks()
}

// wait lets time pass, from deadline to deadline.
func (s *stage) wait(d time.Duration) {
	end := s.now.Add(d)
	for range 1000 {
		next := end
		for _, deadline := range []time.Time{s.from.Deadline(), s.to.Deadline()} {
			if !deadline.IsZero() && deadline.Before(next) {
				next = deadline
			}
		}
		s.now = next
		before := s.out.Len()
		for _, due := range s.from.Tick(s.now) {
			s.carryOut(due.Key, due.Effects)
		}
		s.to.Tick(s.now)
		s.acks()
		if s.out.Len() > before {
			s.printf("at %v", s.now.Sub(epoch))
		}
		if next.Equal(end) {
			return
		}
	}
	s.printf("there is no end to what is due")
}

func (s *stage) numbers(t *testing.T, d *datadriven.TestData) []int {
	if d.HasArg("all") {
		return slices.Sorted(maps.Keys(s.letters))
	}
	var ns []int
	for _, a := range d.CmdArgs {
		n, err := strconv.Atoi(a.Key)
		if _, ok := s.letters[n]; err != nil || !ok {
			d.Fatalf(t, "no letter %s", a.Key)
		}
		ns = append(ns, n)
	}
	return ns
}

func arg[T any](t *testing.T, d *datadriven.TestData, name string, v T) T {
	if d.HasArg(name) {
		d.ScanArgs(t, name, &v)
	}
	return v
}

func duration(t *testing.T, d *datadriven.TestData, name string) time.Duration {
	v, err := time.ParseDuration(arg(t, d, name, "0s"))
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return v
}

func newStage(t *testing.T, d *datadriven.TestData) *stage {
	cfg := TableConfig[string]{
		Stream: Config{
			Window: arg(t, d, "window", 0), WindowBytes: arg(t, d, "bytes", 0),
			RetryMin: duration(t, d, "retry"), RetryMax: duration(t, d, "retrymax"),
			Attempts: arg(t, d, "attempts", 0), MaxAge: duration(t, d, "age"),
			AckEvery: arg(t, d, "ackevery", 0), AckDelay: duration(t, d, "ackdelay"),
		},
		Unordered:  func(key string) bool { return strings.HasPrefix(key, "u") },
		MaxStreams: arg(t, d, "streams", 0), MaxBytes: arg(t, d, "tablebytes", 0), Forget: duration(t, d, "forget"),
	}
	s := &stage{now: epoch, letters: make(map[int]letter)}
	for _, table := range []**Table[string, string]{&s.from, &s.to} {
		cfg.Rand = rand.New(rand.NewPCG(1, 2))
		var err error
		if *table, err = NewTable[string, string](cfg); err != nil {
			d.Fatalf(t, "%v", err)
		}
	}
	return s
}

func (s *stage) push(t *testing.T, d *datadriven.TestData) {
	key := arg(t, d, "on", "a")
	s.size = arg(t, d, "size", 1)
	for _, a := range d.CmdArgs {
		if len(a.Vals) > 0 {
			continue
		}
		seq, e, err := s.from.Push(s.now, key, a.Key, s.size)
		if err != nil {
			s.printf("error: %v", err)
		} else if e.Empty() {
			s.printf("%s: %d waits", key, seq)
		}
		s.carryOut(key, e)
	}
}

// inject lets something arrive that nobody has sent.
func (s *stage) inject(t *testing.T, d *datadriven.TestData) {
	l := letter{key: arg(t, d, "on", "a"), seq: arg(t, d, "seq", uint64(0)), oldest: arg(t, d, "oldest", uint64(0)), item: "x", size: arg(t, d, "size", 1), skip: arg(t, d, "skip", uint64(0))}
	if d.HasArg("ack") {
		l.ack = &Ack{Cumulative: arg(t, d, "ack", uint64(0))}
		if a, ok := d.Arg("ranges"); ok {
			for i := 0; i+1 < len(a.Vals); i += 2 {
				first, _ := strconv.ParseUint(a.Vals[i], 10, 64)
				last, _ := strconv.ParseUint(a.Vals[i+1], 10, 64)
				l.ack.Ranges = append(l.ack.Ranges, Range{First: first, Last: last})
			}
		}
	}
	s.deliver(l)
}

func (s *stage) inspect() {
	for _, o := range s.from.senders {
		s.printf("sender %s: retains %d of %d bytes %+v", o.key, o.sender.Retained(), o.sender.Bytes(), o.sender.Stats())
	}
	for _, i := range s.to.receivers {
		s.printf("receiver %s: holds %d of %d bytes %+v", i.key, i.receiver.Held(), i.receiver.Bytes(), i.receiver.Stats())
	}
	s.printf("sending %+v", s.from.Stats())
	s.printf("receiving %+v", s.to.Stats())
}

func (s *stage) run(t *testing.T, d *datadriven.TestData) string {
	s.out.Reset()
	switch d.Cmd {
	case "push":
		s.push(t, d)
	case "deliver", "copy", "drop":
		for _, n := range s.numbers(t, d) {
			l := s.letters[n]
			if d.Cmd != "copy" {
				delete(s.letters, n)
			}
			if d.Cmd != "drop" {
				s.deliver(l)
			}
		}
	case "wait":
		pause, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		s.wait(pause)
	case "down":
		s.from.Down(s.now)
	case "reconnect":
		for _, due := range s.from.Reconnected(s.now) {
			s.carryOut(due.Key, due.Effects)
		}
	case "close":
		for _, due := range s.from.Close(s.now, fmt.Errorf("node b is down")) {
			s.carryOut(due.Key, due.Effects)
		}
	case "inject":
		s.inject(t, d)
	case "inspect":
		s.inspect()
	default:
		d.Fatalf(t, "unknown command %q", d.Cmd)
	}
	for _, table := range []*Table[string, string]{s.from, s.to} {
		if err := table.valid(); err != nil {
			d.Fatalf(t, "%v", err)
		}
	}
	return s.out.String()
}

func TestTranscriptsOfTwoTables(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		var s *stage
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "new" {
				s = newStage(t, d)
				return ""
			}
			return s.run(t, d)
		})
	})
}

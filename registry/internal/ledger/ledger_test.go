package ledger_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
	"pgregory.net/rapid"
)

var epoch = time.Unix(0, 0)

func node(i int) actor.NodeID {
	return actor.NodeID{Name: fmt.Sprintf("n%d@host:%d", i, i), Incarnation: actor.Incarnation{Boot: 1, Unique: "u"}}
}

func weigh(r *ledger.Record[int]) int { return len(r.Key) }

// pair is an owner and one who has a replica of its part, and what the
// replica's changes came to.
type pair struct {
	owner, reader *ledger.Ledger[int]
	shown         map[string]int
	pages         int
	records       int
}

func newPair() *pair {
	p := &pair{owner: ledger.New[int](node(1), 7), reader: ledger.New[int](node(2), 0), shown: make(map[string]int)}
	p.reader.Up(node(1), true)
	return p
}

// follow carries changes into shown, and reports one that does not fit.
func (p *pair) follow(changes []ledger.Change[int]) error {
	for _, c := range changes {
		old, had := p.shown[c.Key]
		if had != c.Had || old != c.Old || c.Owner.Value() != node(1) {
			return fmt.Errorf("change %+v of %d, %v", c, old, had)
		}
		if c.Has {
			p.shown[c.Key] = c.New
		} else {
			delete(p.shown, c.Key)
		}
	}
	return nil
}

// ask is the question that the reader has, if it has one.
func (p *pair) ask() (ledger.Ask, bool) { return only(p.reader) }

func only(l *ledger.Ledger[int]) (ledger.Ask, bool) {
	for _, q := range l.Asks() {
		return q.Ask, true
	}
	return ledger.Ask{}, false
}

// sync asks until nothing is left to ask.
func (p *pair) sync() error {
	for range 10_000 {
		ask, ok := p.ask()
		if !ok {
			return nil
		}
		page := p.owner.Answer(ask, 100, weigh)
		p.pages++
		for _, s := range page.Spans {
			p.records += len(s.Records)
		}
		changes := p.reader.Turn(node(1), page)
		if err := p.follow(changes); err != nil {
			return err
		}
	}
	return fmt.Errorf("it asks for ever")
}

func (p *pair) same() error {
	own := maps.Collect(p.owner.Own())
	if part := maps.Collect(p.reader.Part(node(1))); !maps.Equal(own, part) || !maps.Equal(own, p.shown) {
		return fmt.Errorf("the owner has %v, the replica %v, and its changes come to %v", own, part, p.shown)
	}
	return nil
}

func TestReplicaIsAsItsOwnerWhateverWasLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPair()
		var queue []any
		up := true
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range rapid.IntRange(1, 120).Draw(t, "steps") {
			key := fmt.Sprint("key", rapid.IntRange(0, 30).Draw(t, "key"))
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0, 1, 2:
				p.owner.Put(key, i)
			case 3:
				p.owner.Delete(key)
			case 4:
				for _, u := range p.owner.Flush(10, weigh) {
					if up && rapid.IntRange(0, 3).Draw(t, "lose") > 0 {
						queue = append(queue, u)
					}
				}
			case 5:
				if up {
					p.owner.Flush(10, weigh) // lost
					queue = append(queue, p.owner.Have())
				}
			case 6:
				if ask, ok := p.ask(); ok && up {
					p.owner.Flush(10, weigh) // lost
					queue = append(queue, p.owner.Answer(ask, 20, weigh))
				}
			case 7:
				if up = rapid.IntRange(0, 2).Draw(t, "up") > 0; up {
					p.reader.Up(node(1), true)
				} else {
					queue = nil
					must(p.follow(p.reader.Down(epoch, node(1))))
					if len(p.shown) != 0 {
						t.Fatalf("of a lost node %v is shown", p.shown)
					}
				}
			case 8:
				p.reader.Tick(epoch)
			default:
				if len(queue) == 0 {
					continue
				}
				var changes []ledger.Change[int]
				switch m := queue[0].(type) {
				case ledger.Update[int]:
					var gap bool
					if changes, gap = p.reader.Apply(node(1), m, true); gap {
						p.reader.Pull(node(1))
					}
				case ledger.Page[int]:
					changes = p.reader.Turn(node(1), m)
				case ledger.Have:
					p.reader.Heard(node(1), m)
				}
				queue = queue[1:]
				must(p.follow(changes))
			}
		}
		p.reader.Up(node(1), true)
		must(p.sync())
		p.owner.Flush(10, weigh)
		p.reader.Heard(node(1), p.owner.Have())
		must(p.sync())
		must(p.same())
		if !p.reader.Synced(node(1)) {
			t.Fatal("it is not synced")
		}
	})
}

func TestOnlyWhatDiffersIsSentAgain(t *testing.T) {
	p := newPair()
	for i := range 20_000 {
		p.owner.Put(fmt.Sprint("key", i), i)
	}
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	p.follow(p.reader.Down(epoch, node(1)))
	p.owner.Put("new", 1)
	p.owner.Delete("key77")
	p.owner.Put("key78", -1)
	p.pages, p.records = 0, 0
	p.reader.Up(node(1), true)
	if n := len(maps.Collect(p.reader.Part(node(1)))); n != 0 {
		t.Errorf("%d records are shown before it is known that they are still there", n)
	}
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	if err := p.same(); err != nil {
		t.Error("after the return it differs")
	}
	if p.records > 3*200 {
		t.Errorf("%d of 20,000 records were sent for three that differ", p.records)
	}
}

func TestPagesAndUpdatesAreBounded(t *testing.T) {
	l := ledger.New[int](node(1), 0)
	for i := range 3000 {
		l.Put(fmt.Sprint(i), i)
	}
	l.Put(strings.Repeat("x", 500), 0) // larger than a page
	for _, u := range l.Flush(100, weigh) {
		weight := 0
		for i := range u.Records {
			weight += weigh(&u.Records[i])
		}
		if weight > 100 && len(u.Records) > 1 {
			t.Fatalf("an update of %d", weight)
		}
	}
	if l.Pending() || len(l.Flush(100, weigh)) > 0 {
		t.Error("it is handed out twice")
	}
	reader := ledger.New[int](node(2), 0)
	reader.Up(node(1), true)
	ask, _ := only(reader)
	seen := make(map[string]bool)
	for {
		page := l.Answer(ask, 100, weigh)
		weight, records := 0, 0
		for _, s := range page.Spans {
			for i := range s.Records {
				weight += weigh(&s.Records[i])
				records++
				seen[s.Records[i].Key] = true
			}
		}
		if weight > 100 && records > 1 {
			t.Fatalf("a page of %d", weight)
		}
		if page.Last {
			break
		}
		ask.From = page.Next
	}
	if len(seen) != 3001 {
		t.Errorf("pages have %d records", len(seen))
	}
}

func TestLedgerThatIsStartedAnewReplacesWhatItsNodeHadWritten(t *testing.T) {
	p := newPair()
	p.owner.Put("old", 1)
	p.owner.Put("both", 1)
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	p.owner = ledger.New[int](node(1), 1000)
	p.owner.Put("new", 2)
	p.owner.Put("both", 2)
	p.reader.Heard(node(1), p.owner.Have())
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	if err := p.same(); err != nil {
		t.Error(err)
	}
}

func TestPartsOfTheLostAreForgottenInTime(t *testing.T) {
	l := ledger.New[int](node(0), 0)
	fill := func(i int, now time.Time) {
		o := ledger.New[int](node(i), 0)
		o.Put("x", 1)
		l.Up(node(i), true)
		ask, _ := only(l)
		l.Turn(node(i), o.Answer(ask, 100, weigh))
		l.Down(now, node(i))
	}
	known := func(i int) bool {
		l.Up(node(i), true)
		defer l.Down(epoch.Add(101*time.Second), node(i))
		ask, _ := only(l)
		return len(ask.Sums) > 0
	}
	for i := 1; i <= 100; i++ {
		fill(i, epoch.Add(time.Duration(i)*time.Second))
	}
	if oldest, newest := known(1), known(100); oldest || !newest {
		t.Errorf("the oldest of too many is known: %v, the newest: %v", oldest, newest)
	}
	l.Tick(epoch.Add(2 * time.Hour))
	if known(99) {
		t.Error("a part is kept for ever")
	}
}

func TestStrangersAndMalformedPagesChangeNothing(t *testing.T) {
	p := newPair()
	p.owner.Put("x", 1)
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	before := maps.Collect(p.reader.Part(node(1)))
	changes, gap := p.reader.Apply(node(9), ledger.Update[int]{Records: []ledger.Record[int]{{Key: "y", Version: 1}}}, true)
	p.reader.Heard(node(9), ledger.Have{Seq: 9})
	if len(changes) > 0 || gap || p.reader.Asking() || p.reader.Synced(node(9)) {
		t.Error("a node that is not up is listened to")
	}
	p.reader.Heard(node(1), ledger.Have{Seq: 99})
	for _, page := range []ledger.Page[int]{
		{Spans: []ledger.Span[int]{{Bucket: -1}, {Bucket: 1 << 30}}, Next: ledger.Position{Bucket: 1 << 40}},
		{From: ledger.Position{Bucket: 1 << 40}, Spans: []ledger.Span[int]{{Records: []ledger.Record[int]{{Key: ""}}}}, Last: true},
	} {
		ask, _ := p.ask()
		page.Owner, page.Serial = ask.Owner, ask.Serial
		if err := p.follow(p.reader.Turn(node(1), page)); err != nil {
			t.Fatal(err)
		}
		p.owner.Answer(ledger.Ask{Owner: ask.Owner, From: page.Next, Sums: []uint64{1}}, 100, weigh)
		p.owner.Answer(ledger.Ask{Owner: ask.Owner, From: ledger.Position{Bucket: -5}}, 100, weigh)
	}
	if after := maps.Collect(p.reader.Part(node(1))); !maps.Equal(before, after) {
		t.Errorf("%v became %v", before, after)
	}
	if keys := slices.Collect(maps.Keys(before)); !slices.Equal(keys, []string{"x"}) {
		t.Errorf("keys %v", keys)
	}
}

// Who is given pages that never come to an end asks no more, and keeps nothing for each.
func TestPageThatDoesNotGoOnEndsThePull(t *testing.T) {
	p := newPair()
	p.reader.Up(node(3), false)
	p.reader.Turn(node(1), p.owner.Answer(asked(t, p.reader), 100, weigh))
	p.reader.Compare(node(3), []ledger.Standing{{Mark: ledger.MarkOf(node(1)), Seq: 99, Sum: 1}})
	for _, next := range []ledger.Position{{Bucket: 5}, {Bucket: 5}} {
		ask, ok := p.ask()
		if !ok {
			t.Fatal("it does not ask")
		}
		p.reader.Turn(node(3), ledger.Page[int]{Owner: ask.Owner, Serial: ask.Serial, From: ask.From, Seq: 99, Next: next})
	}
	if p.reader.Asking() {
		t.Error("it asks for what it has been given")
	}
}

func asked(t *testing.T, l *ledger.Ledger[int]) ledger.Ask {
	t.Helper()
	ask, ok := only(l)
	if !ok {
		t.Fatal("it does not ask")
	}
	return ask
}

func TestReplicaThatMissesChangesWhilePagesComeAsksOnceMore(t *testing.T) {
	p := newPair()
	for i := range 50 {
		p.owner.Put(fmt.Sprint("key", i), i)
	}
	p.owner.Flush(1000, weigh)
	ask, _ := p.ask()
	page := p.owner.Answer(ask, 100, weigh)
	if page.Last {
		t.Fatal("one page has everything")
	}
	changes := p.reader.Turn(node(1), page)
	if err := p.follow(changes); err != nil || !p.reader.Asking() {
		t.Fatal(err, "it does not ask on")
	}
	// One more key in a bucket that the first page had, which is lost, and one that is not.
	p.owner.Put("key0", 100)
	for i := range 50 {
		p.owner.Put(fmt.Sprint("key", i), 100+i)
	}
	updates := p.owner.Flush(1, weigh)
	changes, _ = p.reader.Apply(node(1), updates[len(updates)-1], true)
	if err := p.follow(changes); err != nil {
		t.Fatal(err)
	}
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	if err := p.same(); err != nil {
		t.Error(err)
	}
	if !p.reader.Synced(node(1)) {
		t.Error("it is not complete in the end")
	}
}

func TestUpdateThatIsHeardTwiceChangesNothing(t *testing.T) {
	p := newPair()
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	p.owner.Put("key", 1)
	p.owner.Delete("key")
	p.owner.Put("other", 2)
	for i, u := range slices.Repeat(p.owner.Flush(1000, weigh), 2) {
		changes, gap := p.reader.Apply(node(1), u, true)
		if err := p.follow(changes); err != nil || gap || i > 0 && len(changes) > 0 {
			t.Errorf("time %d: changes %v, %v, gap %v", i, changes, err, gap)
		}
	}
	if err := p.same(); err != nil {
		t.Error(err)
	}
}

func TestPageThatEndsWithinABucketTakesNothingAwayBehindIt(t *testing.T) {
	p := newPair()
	for i := range 3000 { // some twelve in each bucket
		p.owner.Put(fmt.Sprint("key", i), i)
	}
	p.owner.Flush(1000, weigh)
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		p.owner.Put(fmt.Sprint("key", i), -i)
	}
	p.owner.Flush(1000, weigh) // lost
	p.reader.Heard(node(1), p.owner.Have())
	for {
		ask, ok := p.ask()
		if !ok {
			break
		}
		changes := p.reader.Turn(node(1), p.owner.Answer(ask, 30, weigh))
		for _, c := range changes {
			if !c.Has {
				t.Fatalf("%s is taken away, which is there", c.Key)
			}
		}
		if err := p.follow(changes); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.same(); err != nil {
		t.Error(err)
	}
}

package ledger_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/topos-go/topos/registry/internal/ledger"
)

// want fails the test unless the reader has what the owner has, and has shown it.
func (p *pair) want(t *testing.T) {
	t.Helper()
	if err := p.same(); err != nil {
		t.Error(err)
	}
}

// hear lets the reader take in what the owner has told, by a way without order.
func (p *pair) hear(t *testing.T, u ledger.Update[int]) (gap bool) {
	t.Helper()
	changes, gap := p.reader.Apply(node(1), u, false)
	if err := p.follow(changes); err != nil {
		t.Fatal(err)
	}
	return gap
}

func TestFirstChangesOfANewNodeNeedNoQuestion(t *testing.T) {
	p := newPair()
	p.reader = ledger.New[int](node(2), 0)
	p.reader.Up(node(1), false)
	p.owner.Put("x", 1)
	for _, u := range p.owner.Flush(100, weigh) {
		if p.hear(t, u) {
			t.Error("something is missing before them")
		}
	}
	p.want(t)
	if p.reader.Asking() || p.reader.Wanting() || !p.reader.Synced(node(1)) {
		t.Error("it is not known that this is all")
	}
}

func TestChangesThatComeEarlyWaitForThoseBefore(t *testing.T) {
	p := newPair()
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	var updates []ledger.Update[int]
	for i := range 5 {
		p.owner.Put("x", i)
		updates = append(updates, p.owner.Flush(100, weigh)...)
	}
	for _, i := range []int{4, 2, 3, 1, 2} {
		if !p.hear(t, updates[i]) || len(p.shown) > 0 {
			t.Errorf("number %d does not wait", i)
		}
	}
	if !p.reader.Wanting() {
		t.Error("nothing is said to be missing")
	}
	if p.hear(t, updates[0]) || p.reader.Wanting() {
		t.Error("something is still missing")
	}
	p.want(t)
}

func TestChangesThatWaitAreBoundedAndWhatFindsNoRoomIsAskedFor(t *testing.T) {
	p := newPair()
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	p.owner.Put("lost", 0)
	p.owner.Flush(100, weigh)
	for i := range 200 {
		p.owner.Put(fmt.Sprint("key", i), i)
		for _, u := range p.owner.Flush(100, weigh) {
			p.hear(t, u)
		}
	}
	if n := p.reader.Held(); n > 64 {
		t.Errorf("%d updates are held", n)
	}
	changes, _ := p.reader.Compare(node(1), p.owner.Vector())
	if err := p.follow(changes); err != nil || !p.reader.Asking() {
		t.Fatal(err, "it does not ask")
	}
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	p.want(t)
	if n := p.reader.Held(); n > 0 {
		t.Errorf("%d updates are held in the end", n)
	}
}

// tear lets the reader have two pages of different moments, between which the owner
// changes something that the reader does not hear of.
func (p *pair) tear(t *testing.T) {
	t.Helper()
	for i := range 50 {
		p.owner.Put(fmt.Sprint("key", i), i)
	}
	p.owner.Flush(1000, weigh)
	for turns := 0; ; turns++ {
		ask, ok := p.ask()
		if !ok {
			return
		}
		page := p.owner.Answer(ask, 150, weigh)
		if page.Last != (turns == 1) {
			t.Fatalf("page %d is the last: %v", turns, page.Last)
		}
		if err := p.follow(p.reader.Turn(node(1), page)); err != nil {
			t.Fatal(err)
		}
		p.owner.Put("key0", 100)
		p.owner.Put("key49", 149)
	}
}

func TestCopyOfTwoMomentsIsGivenToNobodyUntilItIsOfOne(t *testing.T) {
	p := newPair()
	p.tear(t)
	updates := p.owner.Flush(1000, weigh)
	if v := p.reader.Vector(); len(v) != 1 || p.reader.Synced(node(1)) || !p.reader.Wanting() {
		t.Errorf("it passes for whole: %v", v)
	}
	for _, u := range updates {
		p.hear(t, u)
	}
	p.want(t)
	if v := p.reader.Vector(); len(v) != 2 || !p.reader.Synced(node(1)) {
		t.Errorf("it does not pass for whole: %v", v)
	}
}

func TestCopyIsNotAskedOfWhoKnowsLessThanAnyOfIt(t *testing.T) {
	p := newPair()
	p.tear(t)
	other := ledger.New[int](node(3), 5)
	other.Up(node(1), true)
	updates := p.owner.Flush(1, weigh)
	for { // the other has the part as it was before the last changes
		ask, ok := only(other)
		if !ok {
			break
		}
		other.Turn(node(1), before().Answer(ask, 1000, weigh))
	}
	p.reader.Compare(node(3), other.Vector())
	if p.reader.Asking() {
		t.Error("it asks for what would take something back")
	}
	for _, u := range updates {
		other.Apply(node(1), u, false)
	}
	p.reader.Compare(node(3), other.Vector())
	if !p.reader.Asking() {
		t.Error("it does not ask who knows all")
	}
}

// before is what tear makes of the owner, as it was when it had changed one thing since the first page.
func before() *ledger.Ledger[int] {
	old := ledger.New[int](node(1), 7)
	for i := range 50 {
		old.Put(fmt.Sprint("key", i), i)
	}
	old.Put("key0", 100)
	return old
}

func TestPageThatLeavesOutWhatHasChangedSinceTheQuestionIsNotTaken(t *testing.T) {
	p := newPair()
	for i := range 50 {
		p.owner.Put(fmt.Sprint("key", i), i)
	}
	p.owner.Flush(1000, weigh)
	ask, _ := p.ask()
	page := p.owner.Answer(ask, 150, weigh)
	if err := p.follow(p.reader.Turn(node(1), page)); err != nil {
		t.Fatal(err)
	}
	ask, _ = p.ask()
	late := ""
	for i := 0; late == ""; i++ { // a key behind the first page, in a bucket of its own
		key := fmt.Sprint("late", i)
		if b := ledger.BucketOf(key); b > page.Next.Bucket && !p.inBucket(b) {
			late = key
		}
	}
	p.owner.Put(late, 1)
	for _, u := range p.owner.Flush(1000, weigh) {
		changes, _ := p.reader.Apply(node(1), u, true)
		if err := p.follow(changes); err != nil {
			t.Fatal(err)
		}
	}
	p.owner.Delete(late)
	p.owner.Flush(1000, weigh) // lost
	// Its bucket is again what it was when the reader asked.
	if err := p.follow(p.reader.Turn(node(1), p.owner.Answer(ask, 1000, weigh))); err != nil {
		t.Fatal(err)
	}
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	p.want(t)
}

// inBucket reports whether the owner has something in bucket b.
func (p *pair) inBucket(b int) bool {
	for key := range p.owner.Own() {
		if ledger.BucketOf(key) == b {
			return true
		}
	}
	return false
}

func TestPartIsHadFromACopyWhenItsOwnerIsSilent(t *testing.T) {
	p := newPair()
	for i := range 100 {
		p.owner.Put(fmt.Sprint("key", i), i)
	}
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	third := ledger.New[int](node(3), 5)
	third.Up(node(1), false)
	third.Up(node(2), false)
	third.Compare(node(2), p.reader.Vector())
	for third.Asking() {
		for _, q := range third.Asks() {
			third.Turn(q.To, p.reader.Answer(q.Ask, 100, weigh))
		}
	}
	if got, want := maps.Collect(third.Part(node(1))), maps.Collect(p.owner.Own()); !maps.Equal(got, want) || !third.Synced(node(1)) {
		t.Errorf("it has %v, complete: %v; want %v", got, third.Synced(node(1)), want)
	}
	if third.Digest() == p.reader.Digest() {
		t.Error("the digests are the same, though the second does not know the third")
	}
	p.reader.Up(node(3), false)
	if p.reader.Compare(node(3), third.Vector()); third.Digest() != p.reader.Digest() {
		t.Error("the digests differ though both have the same")
	}
}

func TestOneNodeIsAskedForFewPartsAtATime(t *testing.T) {
	source, l := ledger.New[int](node(0), 1), ledger.New[int](node(1), 1)
	for i := 2; i < 100; i++ {
		owner := ledger.New[int](node(i), 1)
		owner.Put("x", i)
		source.Up(node(i), false)
		for _, u := range owner.Flush(100, weigh) {
			source.Apply(node(i), u, false)
		}
		l.Up(node(i), false)
	}
	l.Up(node(0), false)
	rounds := 0
	for l.Wanting() {
		rounds++
		l.Compare(node(0), source.Vector())
		asks := l.Asks()
		if len(asks) > 16 || len(asks) == 0 {
			t.Fatalf("%d questions at a time", len(asks))
		}
		for _, q := range asks {
			l.Turn(q.To, source.Answer(q.Ask, 100, weigh))
		}
	}
	if rounds != 7 || l.Complete() != 99 {
		t.Errorf("after %d rounds %d parts are complete", rounds, l.Complete())
	}
}

// What a node knows of a part that is empty counts, too: that what was there is over.
func TestNothingOfAPartThatWasKnownToBeEmptyIsTakenFromAnOlderCopy(t *testing.T) {
	p, behind := newPair(), ledger.New[int](node(3), 5)
	p.reader = ledger.New[int](node(2), 0)
	p.reader.Up(node(1), false)
	p.reader.Up(node(3), false)
	behind.Up(node(1), false)
	p.owner.Put("x", 1)
	for _, u := range p.owner.Flush(100, weigh) {
		p.hear(t, u)
		behind.Apply(node(1), u, false)
	}
	p.owner.Delete("x")
	for _, u := range p.owner.Flush(100, weigh) {
		p.hear(t, u)
	}
	p.want(t)
	if err := p.follow(p.reader.Down(epoch, node(1))); err != nil {
		t.Fatal(err)
	}
	p.reader.Up(node(1), false)
	p.reader.Compare(node(3), behind.Vector())
	if p.reader.Asking() {
		t.Error("it asks for what is over")
	}
	p.reader.Compare(node(1), p.owner.Vector())
	if err := p.sync(); err != nil {
		t.Fatal(err)
	}
	if p.want(t); !p.reader.Synced(node(1)) {
		t.Error("it is not known that this is all")
	}
}

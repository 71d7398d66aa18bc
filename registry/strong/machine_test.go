package strong

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// founded returns a machine of epoch 1 with sessions, and their numbers.
func founded(sessions int) (*machine, []uint64) {
	m := newMachine()
	m.apply((&command{op: opFound, token: Token{Epoch: 1}}).encode())
	var ids []uint64
	for i := range sessions {
		res, _ := m.apply((&command{op: opOpen, value: fmt.Sprint("node ", i)}).encode())
		ids = append(ids, res.token.Index)
	}
	return m, ids
}

func draw(t *rapid.T, ids []uint64) command {
	small := rapid.Uint64Range(0, 12)
	return command{
		op:      rapid.SampledFrom([]op{opRegister, opUnregister, opAcquire, opRenew, opRelease, opExpire, opClose, opOpen, opSettle, opFound}).Draw(t, "op"),
		session: rapid.SampledFrom(append([]uint64{0, 99}, ids...)).Draw(t, "session"),
		seq:     small.Draw(t, "seq"), settled: small.Draw(t, "settled"),
		name: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"), value: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "value"),
		cond:  condition{kind: condKind(rapid.IntRange(0, int(condKinds)-1).Draw(t, "cond")), value: "x", token: Token{1, small.Draw(t, "of")}},
		token: Token{1, small.Draw(t, "token")}, ttl: time.Second, renewed: rapid.Uint64Range(0, 1).Draw(t, "renewed"),
	}
}

// Whatever is carried out: tokens only grow, a command of a session counts once,
// and replicas that begin with a snapshot end like those that carried out all.
func TestReplicasThatCarryOutTheSameAreTheSame(t *testing.T) {
	all := cmp.AllowUnexported(machine{}, holding{}, lease{}, session{}, result{})
	rapid.Check(t, func(t *rapid.T) {
		m, ids := founded(2)
		other, _ := founded(2)
		type key struct{ session, seq uint64 }
		first := make(map[key]result)
		var newest Token
		for range rapid.IntRange(1, 60).Draw(t, "commands") {
			c := draw(t, ids)
			res, changed := m.apply(c.encode())
			if res2, changed2 := other.apply(c.encode()); res != res2 || changed != changed2 {
				t.Fatalf("%+v: %+v, then %+v", c, res, res2)
			}
			granted := res.code == codeOK && (c.op == opRegister || c.op == opAcquire)
			if before, again := first[key{c.session, c.seq}]; again && c.session != 0 {
				if res != before && res.code != codeSession {
					t.Fatalf("%+v: once %+v, then %+v", c, before, res)
				}
				if changed != "" {
					t.Fatalf("%+v was carried out twice", c)
				}
			} else if granted {
				if !newest.Less(res.token) {
					t.Fatalf("token %v after %v", res.token, newest)
				}
				newest = res.token
			}
			if c.session != 0 && res.code != codeSession {
				first[key{c.session, c.seq}] = res
			}
			if rapid.IntRange(0, 9).Draw(t, "snapshot") == 0 {
				var b bytes.Buffer
				if err := other.image().write(&b); err != nil {
					t.Fatal(err)
				}
				var err error
				if other, err = readImage(&b); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(m, other, all); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestAnImageIsNotChangedByWhatComesAfter(t *testing.T) {
	m, ids := founded(1)
	do := func(c command) { c.session = ids[0]; m.apply(c.encode()) }
	do(command{op: opRegister, seq: 0, name: "a", value: "x"})
	do(command{op: opAcquire, seq: 1, name: "l", value: "x", ttl: 1})
	taken := m.image()
	var before, after bytes.Buffer
	if err := taken.write(&before); err != nil {
		t.Fatal(err)
	}
	do(command{op: opRegister, seq: 2, settled: 1, name: "b", value: "y"})
	do(command{op: opUnregister, seq: 3, settled: 2, name: "a", cond: condition{kind: condValue, value: "x"}})
	do(command{op: opRenew, seq: 4, settled: 4, name: "l", token: m.leases["l"].token})
	if err := taken.write(&after); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before.Bytes(), after.Bytes()) {
		t.Error("it was changed")
	}
}

func TestASessionRemembersOnlyWhatIsNotSettled(t *testing.T) {
	m, ids := founded(1)
	for i := range uint64(1000) {
		c := command{op: opRegister, session: ids[0], seq: i, settled: i, name: fmt.Sprint(i), value: "x"}
		if res, _ := m.apply(c.encode()); res.code != codeOK {
			t.Fatal(res)
		}
	}
	if n := len(m.sessions[ids[0]].results); n != 1 {
		t.Errorf("it remembers %d results", n)
	}
	// A jump, as of a client that gave up, and a late command below it.
	if res, _ := m.apply((&command{op: opRegister, session: ids[0], seq: 1 << 60, settled: 1 << 60, name: "x", value: "x"}).encode()); res.code != codeOK {
		t.Error(res)
	}
	if res, _ := m.apply((&command{op: opRegister, session: ids[0], seq: 5000, name: "late", value: "x"}).encode()); res.code != codeSession {
		t.Errorf("a command from below what is settled: %+v", res)
	}
	if _, taken := m.names["late"]; taken {
		t.Error("it was carried out")
	}
}

func TestNothingIsGrantedBeforeTheFirstEpochIsFounded(t *testing.T) {
	m := newMachine()
	for _, c := range []command{{op: opOpen}, {op: opRegister, session: 1, name: "a", value: "b"}, {op: opAcquire, session: 1, name: "a"}} {
		if res, _ := m.apply(c.encode()); res.code != codeSettling {
			t.Errorf("%+v: %+v", c, res)
		}
	}
	if res, _ := m.apply([]byte("nonsense")); res.code != codeMalformed {
		t.Errorf("%+v", res)
	}
}

func TestLeasesAreDueOnceTheirTimeHasPassedSinceTheyWereSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := newExpiry()
		now := time.Unix(1000, 0)
		until := make(map[string]deadline) // the naive model
		again := make(map[string]time.Time)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			name := rapid.StringMatching("[a-e]").Draw(t, "name")
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				l := lease{token: Token{1, rapid.Uint64Range(1, 3).Draw(t, "token")}, ttl: time.Duration(rapid.IntRange(1, 20).Draw(t, "ttl")) * time.Second}
				e.saw(now, name, l)
				until[name] = deadline{name: name, at: now.Add(l.ttl), token: l.token}
				delete(again, name)
			case 2:
				e.ended(name)
				delete(until, name)
			default:
				now = now.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "passes")) * time.Second)
			}
			want := make(map[string]Token)
			for name, d := range until {
				at := d.at
				if later, ok := again[name]; ok {
					at = later
				}
				if !now.Before(at) {
					want[name] = d.token
					again[name] = now.Add(time.Second)
				}
			}
			got := make(map[string]Token)
			for _, d := range e.due(now, time.Second) {
				if _, twice := got[d.name]; twice {
					t.Fatalf("%q is due twice at once", d.name)
				}
				got[d.name] = d.token
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatal(diff)
			}
			if next, ok := e.next(); ok && !now.Before(next) {
				t.Fatalf("at %v the next is %v", now, next)
			}
		}
		if len(e.queue) > 2*len(e.deadlines)+66 {
			t.Fatalf("%d in the queue for %d leases", len(e.queue), len(e.deadlines))
		}
	})
}

// A leader proposes to expire what it knows; what it does not know yet, comes
// before it in the log.
func TestARenewalBeforeItsExpiryInTheLogWins(t *testing.T) {
	m, ids := founded(1)
	got, _ := m.apply((&command{op: opAcquire, session: ids[0], name: "l", value: "v", ttl: 1}).encode())
	expire := (&command{op: opExpire, name: "l", token: got.token}).encode()
	if res, _ := m.apply((&command{op: opRenew, session: ids[0], seq: 1, name: "l", token: got.token}).encode()); res.code != codeOK {
		t.Fatal(res)
	}
	if res, changed := m.apply(expire); res.code != codeLost || changed != "" || m.owner("l").token != got.token {
		t.Errorf("%+v: the lease is %+v", res, m.owner("l"))
	}
	late := (&command{op: opExpire, name: "l", token: got.token, renewed: 1}).encode()
	if res, changed := m.apply(late); res.code != codeOK || changed != "l" || m.owner("l").code != codeAbsent {
		t.Errorf("%+v: the lease is %+v", res, m.owner("l"))
	}
	// The next owner is not the one that was meant.
	next, _ := m.apply((&command{op: opAcquire, session: ids[0], seq: 2, name: "l", value: "v", ttl: 1}).encode())
	if res, _ := m.apply(expire); res.code != codeLost || m.owner("l").token != next.token {
		t.Errorf("%+v: the lease is %+v", res, m.owner("l"))
	}
}

package strong

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func TestOneChangeAtATimeLeadsToEnoughVoters(t *testing.T) {
	now := time.Unix(1000, 0)
	q := quorum{voters: 3, standbys: 1, replaceAfter: 30 * time.Second, maxLag: 10}
	const commit = 100
	voter := func(id string) server { return server{id, true} }
	standby := func(id string) server { return server{id, false} }
	up := peer{up: true, reported: true, applied: commit}
	behind := peer{up: true, reported: true, applied: commit - 11}
	silent := peer{up: true}
	just, long := peer{since: now.Add(-time.Second)}, peer{since: now.Add(-time.Minute)}
	gone := peer{since: now, gone: true}
	for _, c := range []struct {
		what    string
		servers []server
		peers   map[string]peer
		want    move
	}{
		{"all is well", []server{voter("a"), voter("b"), voter("c"), standby("d")}, map[string]peer{"b": up, "c": up, "d": up}, move{}},
		{"nobody could be a standby", []server{voter("a"), voter("b"), voter("c")}, map[string]peer{"b": up, "c": up}, move{}},
		{"a standby is missing", []server{voter("a"), voter("b"), voter("c")}, map[string]peer{"b": up, "c": up, "e": up, "d": up}, move{moveAdd, "d"}},
		{"who has not reported is none", []server{voter("a"), voter("b"), voter("c")}, map[string]peer{"b": up, "c": up, "d": silent}, move{}},
		{"a voter is away for a moment", []server{voter("a"), voter("b"), voter("c"), standby("d")}, map[string]peer{"b": just, "c": up, "d": up}, move{}},
		{"a voter is away for long", []server{voter("a"), voter("b"), voter("c"), standby("d")}, map[string]peer{"b": long, "c": up, "d": up}, move{moveRemove, "b"}},
		{"a voter will not come back", []server{voter("a"), voter("b"), voter("c"), standby("d")}, map[string]peer{"b": gone, "c": up, "d": up}, move{moveRemove, "b"}},
		{"then its place is taken", []server{voter("a"), voter("c"), standby("d")}, map[string]peer{"c": up, "d": up}, move{movePromote, "d"}},
		{"and another standby found", []server{voter("a"), voter("c"), voter("d")}, map[string]peer{"c": up, "d": up, "e": up}, move{moveAdd, "e"}},
		{"who is behind gets no vote", []server{voter("a"), voter("c"), standby("d")}, map[string]peer{"c": up, "d": behind}, move{}},
		{"nobody can take the place", []server{voter("a"), voter("b"), voter("c"), standby("d")}, map[string]peer{"b": long, "c": up, "d": behind}, move{}},
		{"the only standby is away", []server{voter("a"), voter("b"), voter("c"), standby("d")}, map[string]peer{"b": long, "c": up, "d": just, "e": up}, move{moveAdd, "e"}},
		{"a standby is away for long", []server{voter("a"), voter("b"), voter("c"), standby("d")}, map[string]peer{"b": up, "c": up, "d": long}, move{moveRemove, "d"}},
		{"a majority is away", []server{voter("a"), voter("b"), voter("c"), standby("d")}, map[string]peer{"b": long, "c": long, "d": up}, move{}},
	} {
		if got := q.next(now, "a", commit, c.servers, c.peers); got != c.want {
			t.Errorf("%s: %v %q, want %v %q", c.what, got.kind, got.id, c.want.kind, c.want.id)
		}
	}
}

// Whoever fails, one after the other and with time to repair, there is always a
// majority of live voters, and in the end as many as wanted.
func TestVotersAreReplacedAsLongAsOneFailsAfterTheOther(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		q := quorum{voters: 3 + 2*rnd.IntN(2), standbys: 1 + rnd.IntN(2), replaceAfter: time.Minute, maxLag: 10}
		now := time.Unix(1000, 0)
		peers := make(map[string]peer)
		var servers []server
		for i := range 9 {
			id := fmt.Sprint("n", i)
			peers[id] = peer{up: true, reported: true}
			if i < q.voters {
				servers = append(servers, server{id, true})
			}
		}
		for range 20 {
			victim := fmt.Sprint("n", rnd.IntN(9))
			alive := 0
			for _, p := range peers {
				if p.up {
					alive++
				}
			}
			if p := peers[victim]; p.up && alive > q.voters {
				peers[victim] = peer{since: now}
			} else {
				peers[victim] = peer{up: true, reported: true}
			}
			now = now.Add(2 * time.Minute)
			for range 20 {
				self := ""
				voters, live := 0, 0
				for _, s := range servers {
					if !s.voter {
						continue
					}
					if voters++; peers[s.id].up {
						live++
						self = s.id
					}
				}
				if live <= voters/2 || voters > q.voters {
					t.Fatalf("seed %d: %d of %d voters live", seed, live, voters)
				}
				m := q.next(now, self, 0, servers, peers)
				if m.kind == moveNone {
					if voters != q.voters || live != q.voters {
						t.Fatalf("seed %d: it stops at %d of %d voters", seed, live, voters)
					}
					break
				}
				servers = applied(t, servers, m)
			}
		}
	}
}

// applied is what raft makes of a move.
func applied(t *testing.T, servers []server, m move) []server {
	t.Helper()
	var out []server
	found := false
	for _, s := range servers {
		if s.id == m.id {
			found = true
			if m.kind == moveRemove {
				continue
			}
			s.voter = s.voter || m.kind == movePromote
		}
		out = append(out, s)
	}
	if !found && m.kind == moveAdd {
		return append(out, server{m.id, false})
	}
	if !found || m.kind == moveAdd {
		t.Fatalf("%v %q of %v", m.kind, m.id, servers)
	}
	return out
}

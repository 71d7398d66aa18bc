package strong

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
)

func TestANewEpochGoesOnWithTheDataOfOneSurvivor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 50, 4, 3, Config{TTL: 3 * time.Second, Standbys: 1}).onDisk().startAll()
		defer w.close()
		ctx := wait(t)
		e, err := w.regs[0].Register(ctx, "name", w.process(0, 1), IfFree())
		if err != nil {
			t.Fatal(err)
		}
		kept, err := w.regs[1].Acquire(ctx, "kept")
		if err != nil {
			t.Fatal(err)
		}
		w.eventually("everybody has it", func() bool {
			_, err := w.regs[2].OwnerStale("kept")
			return err == nil
		})
		for i := range w.regs {
			w.kill(i)
		}
		folder, err := Inspect(w.dirs[2])
		if err != nil || folder.Node != w.names[2] || folder.Epoch != 1 || folder.Last < 4 || folder.Term == 0 {
			t.Errorf("%+v, %v", folder, err)
		}
		epoch, err := NewEpoch(w.dirs[2], nil)
		if err != nil || epoch != 2 {
			t.Fatalf("epoch %d, %v", epoch, err)
		}
		began := time.Now()
		survivor := w.start(2)
		if got, err := survivor.LookupLinearizable(ctx, "name"); err != nil || got != e {
			t.Fatalf("%v, %v instead of %v", got, err, e)
		}
		// A lease of before is neither renewed nor granted anew before all of
		// them have run out, known or not.
		if err := survivor.Renew(ctx, "kept", kept); !errors.Is(err, ErrLost) {
			t.Errorf("renewing a lease of an epoch that has ended: %v", err)
		}
		if _, err := survivor.Acquire(ctx, "kept"); !errors.Is(err, ErrHeld) {
			t.Errorf("acquiring a lease that may be believed in: %v", err)
		}
		token, err := survivor.Acquire(ctx, "other")
		if err != nil || token.Epoch != 2 || !e.Token.Less(token) || !kept.Less(token) {
			t.Errorf("token %v, %v after %v", token, err, kept)
		}
		if took := time.Since(began); took < w.base.TTL {
			t.Errorf("a lease was granted %v after the epoch began", took)
		}
		next, err := survivor.Register(ctx, "name", w.process(2, 2), IfToken(e.Token))
		if err != nil || next.Token.Epoch != 2 {
			t.Errorf("%v, %v", next, err)
		}
	})
}

func TestNodesOfAnEpochThatHasEndedAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 51, 3, 3, Config{ReplaceAfter: 5 * time.Second}).onDisk().startAll()
		defer w.close()
		ctx := wait(t)
		if _, err := w.regs[0].Register(ctx, "name", w.process(0, 1), IfFree()); err != nil {
			t.Fatal(err)
		}
		w.kill(0)
		if _, err := NewEpoch(w.dirs[0], nil); err != nil {
			t.Fatal(err)
		}
		// The operator was wrong: the others are a majority. They go on in the old
		// epoch until they hear of the new one, and then no more.
		e, err := w.regs[1].Register(ctx, "name", w.process(1, 1), IfHeldBy(w.process(0, 1)))
		if err != nil {
			t.Fatal(err)
		}
		w.start(0)
		for _, r := range []*Registry{w.regs[1], w.regs[2]} {
			w.eventually("an old node learns it", func() bool {
				short, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				_, err := r.LookupLinearizable(short, "name")
				return errors.Is(err, ErrObsolete)
			})
			if _, err := r.Register(ctx, "late", w.process(1, 1), IfFree()); !errors.Is(err, ErrObsolete) {
				t.Errorf("%v", err)
			}
			if _, err := r.LookupStale("name"); !errors.Is(err, ErrObsolete) {
				t.Errorf("%v", err)
			}
		}
		got, err := w.regs[0].LookupLinearizable(ctx, "name")
		if err != nil || got.Holder != w.process(0, 1) {
			t.Errorf("%v, %v", got, err)
		}
		next, err := w.regs[0].Register(ctx, "name", w.process(0, 2), IfToken(got.Token))
		if err != nil || !e.Token.Less(next.Token) {
			t.Errorf("token %v, %v after %v of the old epoch", next.Token, err, e.Token)
		}
		// With an empty folder they are welcome.
		w.stop(1)
		w.dirs[1] = t.TempDir()
		w.start(1)
		w.eventually("it has the data", func() bool {
			got, err := w.regs[1].LookupStale("name")
			return err == nil && got == next
		})
	})
}

func TestAnInterruptedNewEpochKeepsTheFolderFromBeingUsed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 52, 1, 1, Config{}).onDisk().startAll()
		defer w.close()
		ctx := wait(t)
		if _, err := w.regs[0].Register(ctx, "name", w.process(0, 1), IfFree()); err != nil {
			t.Fatal(err)
		}
		w.kill(0)
		s, err := openStore(w.dirs[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SetUint64([]byte(keyNewEpoch), 2); err != nil { // what NewEpoch does first
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if f, err := Inspect(w.dirs[0]); err != nil || !f.Interrupted {
			t.Errorf("%+v, %v", f, err)
		}
		cfg := w.base
		cfg.Cluster, cfg.Dir = w.net.join(w.names[0], 300), w.dirs[0]
		r, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Start(); !errors.Is(err, ErrFolder) {
			t.Errorf("starting with a folder whose new epoch was interrupted: %v", err)
		}
		if err := r.Close(ctx); err != nil {
			t.Error(err)
		}
		if epoch, err := NewEpoch(w.dirs[0], nil); err != nil || epoch != 2 {
			t.Fatalf("%d, %v", epoch, err)
		}
		pass(time.Second)
		if epoch, err := NewEpoch(w.dirs[0], nil); err != nil || epoch != 3 {
			t.Fatalf("%d, %v", epoch, err)
		}
		e, err := w.start(0).LookupLinearizable(ctx, "name")
		if err != nil || e.Holder != w.process(0, 1) {
			t.Errorf("%v, %v", e, err)
		}
	})
}

func TestNewEpochRefusesWhatIsNoReplicasFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nothing")
	if _, err := NewEpoch(dir, nil); !errors.Is(err, ErrFolder) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("it made the folder: %v", err)
	}
	s, err := openStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Set([]byte(keyID), []byte("#x#n0")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := NewEpoch(dir, nil); !errors.Is(err, ErrFolder) {
		t.Errorf("a folder without data: %v", err)
	}
}

func TestAFolderBelongsToOneNode(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 53, 2, 1, Config{}).onDisk()
		defer w.close()
		w.start(0)
		w.leader()
		w.stop(0)
		cfg := w.base
		cfg.Cluster, cfg.Dir = w.net.join(w.names[1], 300), w.dirs[0]
		r, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Start(); !errors.Is(err, ErrFolder) {
			t.Errorf("starting with somebody else's folder: %v", err)
		}
	})
}

// The folder knows of no lease, but the lost majority may have granted some.
func TestANewEpochGrantsNothingUntilUnknownLeasesHaveRunOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 54, 1, 1, Config{TTL: 10 * time.Second}).onDisk().startAll()
		defer w.close()
		w.leader()
		w.kill(0)
		if _, err := NewEpoch(w.dirs[0], nil); err != nil {
			t.Fatal(err)
		}
		r := w.start(0)
		w.leader()
		led := time.Now()
		if _, err := r.Register(wait(t), "name", w.process(0, 1), IfFree()); err != nil || time.Since(led) > time.Second {
			t.Errorf("a name, which has nothing to do with that: %v after %v", err, time.Since(led))
		}
		token, err := r.Acquire(wait(t), "x")
		if took := time.Since(led); err != nil || token.Epoch != 2 || took < w.base.TTL-time.Second || took > w.base.TTL+time.Second {
			t.Errorf("%v, %v after %v", token, err, took)
		}
	})
}

func TestReplicasTakeNothingOfAnotherEpoch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 55, 1, 1, Config{}).startAll()
		defer w.close()
		w.leader()
		rep := w.regs[0].replica
		own := rep.epoch.Load()
		if err := rep.admit(own); err != nil {
			t.Error(err)
		}
		for _, other := range []uint64{0, own - 1} {
			if err := rep.admit(other); err == nil || rep.r.ended() {
				t.Errorf("epoch %d in epoch %d: %v, ended %v", other, own, err, rep.r.ended())
			}
		}
		// A confirmation is of the leader's epoch, too.
		answered := make(chan frame, 1)
		asker := w.net.join("asker@x:1", 1)
		asker.HandleControl(topic, func(_ actor.NodeID, payload []byte) {
			if f, err := decodeFrame(payload); err == nil && f.id == 9 {
				answered <- f
			}
		})
		pass(time.Second)
		for _, c := range []struct {
			epoch uint64
			want  kind
		}{{own - 1, kindRefusal}, {own, kindAnswer}} {
			f := frame{kind: kindConfirm, epoch: c.epoch, id: 9, to: string(rep.id)}
			if err := asker.SendControl(w.regs[0].self, topic, f.encode()); err != nil {
				t.Fatal(err)
			}
			if got := <-answered; got.kind != c.want {
				t.Errorf("epoch %d: %v", c.epoch, got.kind)
			}
		}
		if err := rep.admit(own + 1); err == nil || !rep.r.ended() {
			t.Errorf("a later epoch: %v, ended %v", err, rep.r.ended())
		}
	})
}

func TestAFolderThatIsInUseIsRefusedUntilItIsFree(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 54, 1, 1, Config{}).onDisk().startAll()
		defer w.close()
		w.leader()
		if _, err := NewEpoch(w.dirs[0], nil); !errors.Is(err, ErrFolderInUse) || errors.Is(err, ErrFolder) {
			t.Errorf("a new epoch in the folder of a running node: %v", err)
		}
		cfg := w.base
		cfg.Cluster, cfg.Dir = w.net.join(w.names[0], 300), w.dirs[0]
		r, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Start(); !errors.Is(err, ErrFolderInUse) || errors.Is(err, ErrFolder) {
			t.Errorf("starting with the folder of a running node: %v", err)
		}
		w.stop(0)
		if _, err := NewEpoch(w.dirs[0], nil); err != nil {
			t.Errorf("when it has ended: %v", err)
		}
	})
}

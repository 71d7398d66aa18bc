package crdtactor_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
)

// victimEnv has the path of the disk of a program that waits to be killed.
const victimEnv = "TOPOS_CRDTACTOR_VICTIM"

const carts = "carts"

// victim counts, on disk, and says so after each count, until it is killed. It
// begins with what it finds.
func victim(path string) error {
	ctx := context.Background()
	disk, err := crdtactor.OpenDisk(path)
	if err != nil {
		return err
	}
	sys, err := actor.NewSystem(actor.Config{Node: actor.NodeID{Name: "victim@h:1"}})
	if err != nil {
		return err
	}
	alone := func() []actor.NodeID { return nil }
	if _, err := sys.Spawn(ctx, crdtactor.New(crdtactor.Config[*crdt.PNCounter]{
		Name: visits, New: func() *crdt.PNCounter { return new(crdt.PNCounter) }, Members: alone, Disk: disk,
		AntiEntropy: time.Millisecond,
	}), visits); err != nil {
		return err
	}
	store, err := crdtactor.NewStore(crdtactor.Config[*crdt.Cart]{
		Name: carts, New: func() *crdt.Cart { return new(crdt.Cart) }, Members: alone, Disk: disk, Shards: 2,
	})
	if err != nil {
		return err
	}
	if err := store.Spawn(ctx, sys); err != nil {
		return err
	}
	counter, err := crdtactor.Get[*crdt.PNCounter](ctx, sys, visits)
	if err != nil {
		return err
	}
	items := int64(0)
	for i := range 10 {
		cart, err := store.Get(ctx, sys, fmt.Sprint("cart ", i))
		if err != nil {
			return err
		}
		items += cart.Quantity("tea")
	}
	data, err := counter.MarshalBinary()
	if err != nil {
		return err
	}
	fmt.Println("found", counter.Value(), items, len(data))
	for n := counter.Value() + 1; ; n++ {
		if err := crdtactor.Update(ctx, sys, visits, func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter {
			return c.Add(me, 1)
		}); err != nil {
			return err
		}
		if err := store.Update(ctx, sys, fmt.Sprint("cart ", n%10), func(c *crdt.Cart, me crdt.ReplicaID) *crdt.Cart {
			return c.Add(me, "tea", 1)
		}); err != nil {
			return err
		}
		fmt.Println("counted", n, 0, 0)
	}
}

// TestNothingOnDiskIsLostOrCountedTwiceWhereverTheProgramIsKilled kills a
// program that counts on disk, with SIGKILL, after a random number of counts and
// wherever it is by then, and starts it again, many times.
func TestNothingOnDiskIsLostOrCountedTwiceWhereverTheProgramIsKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	random := rand.New(rand.NewPCG(1, 2))
	counted, items := int64(0), int64(0)
	for life := range 25 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), victimEnv+"="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		deadline := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
		lines := bufio.NewScanner(out)
		left := random.IntN(60)
		wait := time.Duration(random.IntN(3000)) * time.Microsecond
		for lines.Scan() {
			var word string
			var n, of, size int64
			if _, err := fmt.Sscan(lines.Text(), &word, &n, &of, &size); err != nil {
				t.Fatalf("%q: %v", lines.Text(), err)
			}
			switch {
			case word == "counted":
				counted, items = n, items+1
			case n < counted || n > counted+1 || of < items || of > items+2:
				t.Errorf("life %d found %d counts and %d items, acknowledged were %d and %d", life, n, of, counted, items)
			case size > 80:
				t.Errorf("life %d found a counter of %d bytes: it grows with restarts", life, size)
			default:
				counted, items = n, of
			}
			if left--; left == 0 {
				time.AfterFunc(wait, func() { cmd.Process.Kill() })
			}
			if left < -1000 {
				break
			}
		}
		cmd.Process.Kill()
		cmd.Wait()
		deadline.Stop()
	}
	if counted < 100 {
		t.Errorf("only %d counts in all: the test proves little", counted)
	}
}

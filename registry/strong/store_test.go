package strong

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/raft"
	"pgregory.net/rapid"
)

func entry(index uint64) *raft.Log {
	return &raft.Log{Index: index, Term: index / 10, Type: raft.LogType(index % 2), Data: fmt.Append(nil, "data ", index), Extensions: []byte{}, AppendedAt: time.Unix(0, int64(index))}
}

// The log on disk, opened again whenever, and the one in memory hold the same.
func TestLogsHoldWhatWasStoredAndNotDeleted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir := tempDir(t)
		s, err := openStore(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		m := newMemoryStore()
		model := make(map[uint64]bool)
		next := rapid.Uint64Range(1, 300).Draw(t, "first")
		first := next
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				var logs []*raft.Log
				for range rapid.IntRange(1, 20).Draw(t, "n") {
					logs = append(logs, entry(next))
					model[next] = true
					next++
				}
				for _, d := range []disk{s, m} {
					if err := d.StoreLogs(logs); err != nil {
						t.Fatal(err)
					}
				}
			case 1: // the end, as for a new leader
				from := first + rapid.Uint64Range(0, next-first).Draw(t, "from")
				remove(t, model, from, next+5, s, m)
				next = from
			case 2: // the beginning, as after a snapshot
				to := first + rapid.Uint64Range(0, next-first).Draw(t, "to")
				remove(t, model, 0, to, s, m)
				first = max(first, min(to+1, next))
			case 3:
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if s, err = openStore(dir); err != nil {
					t.Fatal(err)
				}
			}
			for _, d := range []disk{s, m} {
				compareLog(t, d, model)
			}
		}
	})
}

func tempDir(t *rapid.T) string {
	dir, err := os.MkdirTemp("", "strong")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func remove(t *rapid.T, model map[uint64]bool, from, to uint64, disks ...disk) {
	for i := range model {
		if from <= i && i <= to {
			delete(model, i)
		}
	}
	for _, d := range disks {
		if err := d.DeleteRange(from, to); err != nil {
			t.Fatal(err)
		}
	}
}

func compareLog(t *rapid.T, d disk, model map[uint64]bool) {
	var lowest, highest uint64
	for i := range model {
		if lowest == 0 || i < lowest {
			lowest = i
		}
		highest = max(highest, i)
		var got raft.Log
		if err := d.GetLog(i, &got); err != nil {
			t.Fatalf("%T: entry %d: %v", d, i, err)
		}
		if diff := cmp.Diff(entry(i), &got); diff != "" {
			t.Fatalf("%T: %s", d, diff)
		}
	}
	first, err1 := d.FirstIndex()
	last, err2 := d.LastIndex()
	if first != lowest || last != highest || err1 != nil || err2 != nil {
		t.Fatalf("%T: from %d to %d, want %d to %d", d, first, last, lowest, highest)
	}
	for _, i := range []uint64{lowest - 1, highest + 1} {
		if err := d.GetLog(i, new(raft.Log)); !errors.Is(err, raft.ErrLogNotFound) {
			t.Fatalf("%T: entry %d: %v", d, i, err)
		}
	}
}

func TestStableStoresKeepTheirKeys(t *testing.T) {
	dir := t.TempDir()
	s, err := openStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := newMemoryStore()
	for _, d := range []disk{s, m} {
		// raft knows this error by its text.
		if _, err := d.Get([]byte("none")); err == nil || err.Error() != "not found" {
			t.Errorf("%T: %v", d, err)
		}
		if _, err := d.GetUint64([]byte("none")); err == nil || err.Error() != "not found" {
			t.Errorf("%T: %v", d, err)
		}
		value := []byte("value")
		if err := errors.Join(d.Set([]byte("k"), value), d.SetUint64([]byte("n"), 7)); err != nil {
			t.Fatal(err)
		}
		value[0] = 'x' // it is the caller's
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = openStore(dir); err != nil {
		t.Fatal(err)
	}
	for _, d := range []disk{s, m} {
		v, err1 := d.Get([]byte("k"))
		n, err2 := d.GetUint64([]byte("n"))
		if string(v) != "value" || n != 7 || err1 != nil || err2 != nil {
			t.Errorf("%T: %q, %d, %v, %v", d, v, n, err1, err2)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestASnapshotInMemoryReplacesTheLastOneWhenItIsComplete(t *testing.T) {
	s := new(memorySnapshots)
	write := func(index uint64, data string) raft.SnapshotSink {
		sink, err := s.Create(1, index, 2, raft.Configuration{}, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sink.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
		return sink
	}
	read := func(want string) {
		t.Helper()
		list, err := s.List()
		if err != nil || len(list) != 1 || list[0].Size != int64(len(want)) {
			t.Fatal(list, err)
		}
		_, r, err := s.Open(list[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if string(got) != want || err != nil {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	if list, err := s.List(); len(list) != 0 || err != nil {
		t.Error(list, err)
	}
	if err := write(1, "first").Close(); err != nil {
		t.Fatal(err)
	}
	half := write(2, "ha")
	read("first")
	if err := half.Cancel(); err != nil {
		t.Fatal(err)
	}
	read("first")
	if err := write(3, "third").Close(); err != nil {
		t.Fatal(err)
	}
	read("third")
	if _, _, err := s.Open(half.ID()); err == nil {
		t.Error("a snapshot that was given up can be opened")
	}
}

func TestAMalformedSnapshotIsRefused(t *testing.T) {
	m, _ := founded(1)
	var b bytes.Buffer
	if err := m.image().write(&b); err != nil {
		t.Fatal(err)
	}
	f := newFSM(func(string, lease, bool) {})
	for n := range b.Len() {
		if err := f.Restore(io.NopCloser(bytes.NewReader(b.Bytes()[:n]))); err == nil {
			t.Errorf("%d of %d bytes were taken", n, b.Len())
		}
	}
	if f.machine.epoch != 0 {
		t.Error("it changed the state")
	}
	if err := f.Restore(io.NopCloser(&b)); err != nil || f.machine.epoch != 1 {
		t.Error(err)
	}
}

package crdtactor

import (
	bolt "go.etcd.io/bbolt"

	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// Stall keeps the disk from writing until release is called.
func (d *Disk) Stall() (release func() error, err error) {
	tx, err := d.db.Begin(true)
	if err != nil {
		return nil, err
	}
	return tx.Rollback, nil
}

// Break makes every later write fail, as a medium does that is worn out.
func (d *Disk) Break() error { return d.db.Close() }

// Pages returns how many snapshots and deltas the file has of a replica.
func (d *Disk) Pages(name string) (snapshots, deltas int, err error) {
	kept, err := d.load(name, 0)
	for _, g := range kept.pages {
		if g.state > 0 {
			snapshots++
		}
	}
	return snapshots, len(kept.items) - snapshots, err
}

// ParseRoster takes apart the roster that a disk has.
func ParseRoster(b []byte) ([]replica.Member, error) { return members(b) }

// AppendRoster makes what ParseRoster takes apart.
func AppendRoster(b []byte, list []replica.Member) []byte {
	for _, m := range list {
		b = appendMember(b, m)
	}
	return b
}

// Writes returns how many times the file has been written.
func (d *Disk) Writes() (n int, err error) {
	err = d.db.View(func(tx *bolt.Tx) error {
		n = tx.ID()
		return nil
	})
	return n, err
}

// Busy reports whether the replica has work left. It is for a function that runs
// in it.
func (r *Replica[S]) Busy() bool { return r.core.Busy() }

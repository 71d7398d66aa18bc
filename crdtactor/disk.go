package crdtactor

import (
	"errors"
	"fmt"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// ErrDiskClosed is the reason of a replica that could not save because its Disk
// was closed, and of a spawn on one.
var ErrDiskClosed = errors.New("crdtactor: disk closed")

// Disk is a file in which the replicas of one node keep their states: any
// number of them, by their names. What several have to save at the same time is
// written, and waits for the medium, together.
//
// A batch of changes is in the file whole or not at all, whenever the program
// or the machine stops. It must be on a file system that keeps what was synced.
// No two programs can open the same file. A Disk is safe for concurrent use; it
// is opened with [OpenDisk], and closed after the node.
type Disk struct {
	db   *bolt.DB
	done chan struct{} // closed when write has returned

	mu     sync.Mutex
	queue  []job
	wake   chan struct{} // has one element if the queue has any
	closed bool
}

// job is what one replica has to save.
type job struct {
	name   string
	items  []page
	roster []replica.Member // nil if it has not changed
	done   func(error)      // must not wait
}

// openTimeout is how long OpenDisk waits for another program to let go of the
// file: a node that is being replaced ends in less.
const openTimeout = 5 * time.Second

// ErrDiskInUse is returned by [OpenDisk] when another program, or another Disk of
// this one, has had the file open for five seconds on end.
var ErrDiskInUse = errors.New("crdtactor: disk is in use")

// OpenDisk opens the file at path, or makes one.
func OpenDisk(path string) (*Disk, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: openTimeout, FreelistType: bolt.FreelistMapType})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s", ErrDiskInUse, path)
	case err != nil:
		return nil, err
	}
	d := &Disk{db: db, done: make(chan struct{}), wake: make(chan struct{}, 1)}
	go d.write()
	return d, nil
}

// Close saves what replicas have asked for, and closes the file. Replicas that
// go on will fail with ErrDiskClosed.
func (d *Disk) Close() error {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		d.poke()
	}
	d.mu.Unlock()
	<-d.done
	return d.db.Close()
}

// poke wakes the writer. The lock is held.
func (d *Disk) poke() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// commit lets j be saved; j.done tells when it is.
func (d *Disk) commit(j job) {
	d.mu.Lock()
	closed := d.closed
	if !closed {
		d.queue = append(d.queue, j)
		d.poke()
	}
	d.mu.Unlock()
	if closed {
		j.done(ErrDiskClosed)
	}
}

// write saves what is queued, all of it at a time, until the disk is closed.
func (d *Disk) write() {
	defer close(d.done)
	for range d.wake {
		d.mu.Lock()
		jobs, closed := d.queue, d.closed
		d.queue = nil
		d.mu.Unlock()
		d.save(jobs)
		if closed {
			return
		}
	}
}

// save writes jobs together. A job that cannot be written does not take the
// others with it.
func (d *Disk) save(jobs []job) {
	if len(jobs) == 0 {
		return
	}
	err := d.db.Update(func(tx *bolt.Tx) error {
		for _, j := range jobs {
			if err := j.write(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && len(jobs) > 1 {
		for _, j := range jobs {
			d.save([]job{j})
		}
		return
	}
	for _, j := range jobs {
		j.done(err)
	}
}

// settle returns when all that was queued before is on disk: what a replica
// that has ended has left behind must not come after its successor has read.
func (d *Disk) settle() error {
	done := make(chan error, 1)
	d.commit(job{done: func(err error) { done <- err }})
	return <-done
}

package crdtactor

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// The file has a bucket for each replica, by name, with in it
//
//	start          when its last replica started: the number in its id
//	roster         the nodes, as encoded by appendMember
//	states         bucket: 's' key → snapshot
//	changes        bucket: length of key, key, number → delta to the snapshot
//
// A state is its snapshot joined with its deltas, in any order.
const (
	bucketStates  = "states"
	bucketChanges = "changes"
	keyStart      = "start"
	keyRoster     = "roster"
)

// page is a state, or a delta to one, on its way to the file.
type page struct {
	replica.Item
	whole bool // it replaces what there is under its key
}

// pages knows how long the deltas in the file have become, by key.
type pages map[string]growth

type growth struct{ state, changes int } // bytes

// minChanges is how many bytes of deltas are kept at least before a snapshot
// takes their place.
const minChanges = 4096

// turn says how items are to be saved: those whose deltas would outweigh the
// state, as whole states.
func (p pages) turn(items []replica.Item, snapshot func(key string) ([]byte, bool)) []page {
	list := make([]page, len(items))
	for i, item := range items {
		g := p[item.Key]
		g.changes += len(item.Data)
		list[i].Item = item
		if g.changes > max(minChanges, g.state) {
			if data, ok := snapshot(item.Key); ok {
				list[i].Item.Data, list[i].whole = data, true
				g = growth{state: len(data)}
			}
		}
		p[item.Key] = g
	}
	return list
}

// write puts j into the file.
func (j *job) write(tx *bolt.Tx) error {
	if len(j.items) == 0 && j.roster == nil {
		return nil
	}
	top, states, changes, err := buckets(tx, j.name)
	if err != nil {
		return err
	}
	// The file is a tree by key: what is written in its order touches less of it.
	slices.SortFunc(j.items, func(a, b page) int { return strings.Compare(a.Key, b.Key) })
	for _, p := range j.items {
		if p.whole {
			if err := replace(states, changes, p.Item); err != nil {
				return err
			}
			continue
		}
		n, err := changes.NextSequence()
		if err != nil {
			return err
		}
		if err := changes.Put(binary.BigEndian.AppendUint64(changePrefix(p.Key), n), p.Data); err != nil {
			return err
		}
	}
	if j.roster == nil {
		return nil
	}
	var b []byte
	for _, m := range j.roster {
		b = appendMember(b, m)
	}
	return top.Put([]byte(keyRoster), b)
}

// buckets returns the buckets of a replica, making them if there are none.
func buckets(tx *bolt.Tx, name string) (top, states, changes *bolt.Bucket, err error) {
	if top, err = tx.CreateBucketIfNotExists([]byte(name)); err != nil {
		return nil, nil, nil, err
	}
	if states, err = top.CreateBucketIfNotExists([]byte(bucketStates)); err != nil {
		return nil, nil, nil, err
	}
	changes, err = top.CreateBucketIfNotExists([]byte(bucketChanges))
	return top, states, changes, err
}

// replace puts a snapshot in the place of the one before and of its deltas.
func replace(states, changes *bolt.Bucket, item replica.Item) error {
	prefix := changePrefix(item.Key)
	c := changes.Cursor()
	for k, _ := c.Seek(prefix); len(k) == len(prefix)+8 && string(k[:len(prefix)]) == string(prefix); k, _ = c.Next() {
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return states.Put(append([]byte("s"), item.Key...), item.Data)
}

func changePrefix(key string) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, len(key)+12), uint32(len(key))), key...)
}

func appendMember(b []byte, m replica.Member) []byte {
	b = binary.AppendUvarint(b, uint64(len(m.Node)))
	b = append(b, m.Node...)
	for _, n := range []uint64{m.Version, m.Next, m.Lost, m.Settled} {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// members takes apart what appendMember has put together.
func members(b []byte) ([]replica.Member, error) {
	var list []replica.Member
	for len(b) > 0 {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > uint64(len(b)-k) {
			return nil, fmt.Errorf("roster cut short")
		}
		m := replica.Member{Node: string(b[k : k+int(n)])}
		b = b[k+int(n):]
		for _, number := range []*uint64{&m.Version, &m.Next, &m.Lost, &m.Settled} {
			if *number, k = binary.Uvarint(b); k <= 0 {
				return nil, fmt.Errorf("roster cut short")
			}
			b = b[k:]
		}
		list = append(list, m)
	}
	return list, nil
}

// contents is what the file has of one replica.
type contents struct {
	start  uint64
	items  []replica.Item
	roster []replica.Member
	pages  pages
}

// load returns what the file has of a replica, and notes that another one
// starts now, or later if the clock is behind the last one's.
func (d *Disk) load(name string, start uint64) (contents, error) {
	if err := d.settle(); err != nil {
		return contents{}, err
	}
	kept := contents{start: start, pages: make(pages)}
	err := d.db.Update(func(tx *bolt.Tx) error {
		top, states, changes, err := buckets(tx, name)
		if err != nil {
			return err
		}
		if b := top.Get([]byte(keyStart)); len(b) == 8 {
			kept.start = max(kept.start, binary.BigEndian.Uint64(b)+1)
		}
		if err := top.Put([]byte(keyStart), binary.BigEndian.AppendUint64(nil, kept.start)); err != nil {
			return err
		}
		if kept.roster, err = members(top.Get([]byte(keyRoster))); err != nil {
			return err
		}
		return kept.read(states, changes)
	})
	return kept, err
}

// read takes the states and deltas out of their buckets.
func (c *contents) read(states, changes *bolt.Bucket) error {
	err := states.ForEach(func(k, v []byte) error {
		key := string(k[1:])
		c.items = append(c.items, replica.Item{Key: key, Data: append([]byte(nil), v...)})
		c.pages[key] = growth{state: len(v)}
		return nil
	})
	if err != nil {
		return err
	}
	return changes.ForEach(func(k, v []byte) error {
		if len(k) < 12 {
			return fmt.Errorf("change without a key")
		}
		key := string(k[4 : len(k)-8])
		c.items = append(c.items, replica.Item{Key: key, Data: append([]byte(nil), v...)})
		g := c.pages[key]
		g.changes += len(v)
		c.pages[key] = g
		return nil
	})
}

package strong

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// The folder of a replica.
const (
	storeFile = "raft.db"
	// lockWait is how long another program may still hold the folder.
	lockWait = 5 * time.Second
	// keptSnapshots is one more than is needed.
	keptSnapshots = 2
)

// Buckets of the file, and keys of ours in the second; raft's own are there,
// too.
const (
	logBucket    = "log"
	stableBucket = "stable"

	keyID       = "topos/id"       // the ServerID
	keyEpoch    = "topos/epoch"    // the epoch of the data
	keyNewEpoch = "topos/newepoch" // the epoch that NewEpoch is making
)

// ErrFolder is returned for a data folder that cannot be used: it belongs to
// another node, or NewEpoch was interrupted in it.
var ErrFolder = errors.New("strong: data folder cannot be used")

// ErrFolderInUse is returned by [Registry.Start] and [NewEpoch] when another
// program, or another Registry of this one, has had the data folder open for five
// seconds on end. Nothing is wrong with the folder.
var ErrFolderInUse = errors.New("strong: data folder is in use")

// errNotFound has the text by which raft knows it.
var errNotFound = errors.New("not found")

// store is raft's log and stable store in one file. Every write is on disk when
// it returns. It implements raft.LogStore and raft.StableStore and is safe for
// concurrent use.
type store struct{ db *bbolt.DB }

// openStore opens the store in dir, which is made if need be. Only one program
// can have it open.
func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(filepath.Join(dir, storeFile), 0o600, &bbolt.Options{
		Timeout:        lockWait,
		FreelistType:   bbolt.FreelistMapType,
		NoFreelistSync: true, // it is computed on opening
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s", ErrFolderInUse, dir)
	case err != nil:
		return nil, fmt.Errorf("strong: opening the data folder %s: %w", dir, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, errLog := tx.CreateBucketIfNotExists([]byte(logBucket))
		_, errStable := tx.CreateBucketIfNotExists([]byte(stableBucket))
		return errors.Join(errLog, errStable)
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &store{db: db}, nil
}

func (s *store) Close() error { return s.db.Close() }

// logKey sorts as the index does.
func logKey(index uint64) []byte { return binary.BigEndian.AppendUint64(nil, index) }

// FirstIndex implements raft.LogStore.
func (s *store) FirstIndex() (uint64, error) { return s.edge((*bbolt.Cursor).First) }

// LastIndex implements raft.LogStore.
func (s *store) LastIndex() (uint64, error) { return s.edge((*bbolt.Cursor).Last) }

func (s *store) edge(end func(*bbolt.Cursor) (k, v []byte)) (index uint64, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		if key, _ := end(tx.Bucket([]byte(logBucket)).Cursor()); len(key) == 8 {
			index = binary.BigEndian.Uint64(key)
		}
		return nil
	})
	return index, err
}

// GetLog implements raft.LogStore.
func (s *store) GetLog(index uint64, log *raft.Log) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		value := tx.Bucket([]byte(logBucket)).Get(logKey(index))
		if value == nil {
			return raft.ErrLogNotFound
		}
		r := reader{b: append([]byte(nil), value...)} // value is the transaction's
		r.log(log)
		return r.end()
	})
}

// StoreLog implements raft.LogStore.
func (s *store) StoreLog(log *raft.Log) error { return s.StoreLogs([]*raft.Log{log}) }

// StoreLogs implements raft.LogStore: all of them in one write.
func (s *store) StoreLogs(logs []*raft.Log) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(logBucket))
		b.FillPercent = 0.95 // keys only grow
		for _, l := range logs {
			if err := b.Put(logKey(l.Index), appendLog(make([]byte, 0, 48+len(l.Data)), l)); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteRange implements raft.LogStore.
func (s *store) DeleteRange(first, last uint64) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte(logBucket)).Cursor()
		for key, _ := c.Seek(logKey(first)); key != nil && binary.BigEndian.Uint64(key) <= last; key, _ = c.Seek(logKey(first)) {
			if err := c.Delete(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Set implements raft.StableStore.
func (s *store) Set(key, value []byte) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte(stableBucket)).Put(key, value) })
}

// Get implements raft.StableStore.
func (s *store) Get(key []byte) (value []byte, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		v := tx.Bucket([]byte(stableBucket)).Get(key)
		if v == nil {
			return errNotFound
		}
		value = append([]byte{}, v...)
		return nil
	})
	return value, err
}

// SetUint64 implements raft.StableStore.
func (s *store) SetUint64(key []byte, n uint64) error {
	return s.Set(key, binary.BigEndian.AppendUint64(nil, n))
}

// GetUint64 implements raft.StableStore.
func (s *store) GetUint64(key []byte) (uint64, error) {
	value, err := s.Get(key)
	if err != nil {
		return 0, err
	}
	if len(value) != 8 {
		return 0, errMalformed
	}
	return binary.BigEndian.Uint64(value), nil
}

// remove removes a key.
func (s *store) remove(key []byte) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte(stableBucket)).Delete(key) })
}
